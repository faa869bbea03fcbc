/** Remembers entries of documents by their own content: a change costs what has changed. */
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { ConsumerFacts, EntryRecord, RouteFacts, ServiceFacts } from './entry-record.ts';
import { breathe } from './give-way.ts';
import { KnownItems } from './known-items.ts';

export type RememberedList = 'services' | 'routes' | 'consumers';

/** Of one list, by the places of its entries; of services by those of their names. */
export interface RecalledList<Facts> {
  /** Undefined where an entry is not known. */
  readonly records: readonly (EntryRecord<Facts> | undefined)[];
  /** Undefined where an entry is not to be remembered. */
  readonly keys: readonly (string | undefined)[];
}

export interface Recollection {
  /** All services of the document, in its order. */
  readonly serviceNames: readonly string[];
  readonly services: RecalledList<ServiceFacts>;
  readonly routes: RecalledList<RouteFacts>;
  readonly consumers: RecalledList<ConsumerFacts>;
}

/** By place, as in `RecalledList`: undefined where there is nothing to learn. */
export interface Lesson {
  readonly services: readonly (EntryRecord<ServiceFacts> | undefined)[];
  readonly routes: readonly (EntryRecord<RouteFacts> | undefined)[];
  readonly consumers: readonly (EntryRecord<ConsumerFacts> | undefined)[];
}

/** The lists of a document; what is no such list has no entries. */
export type Lists = Readonly<Partial<Record<RememberedList, unknown>>>;

/** An entry's own content as a text; undefined where it is not to be remembered. */
export type KeyOf = (
  entry: unknown,
  list: RememberedList,
  step: string | number,
) => string | undefined;

export class EntryMemory {
  /** Of a file. */
  readonly items = new KnownItems();
  #context = '';
  #services = new ListMemory<ServiceFacts>();
  #routes = new ListMemory<RouteFacts>();
  #consumers = new ListMemory<ConsumerFacts>();

  /** `context`: what records depend on beside an entry's content. */
  recall({ services, routes, consumers }: Lists, context: string, keyOf: KeyOf): Recollection {
    if (context !== this.#context) this.forget();
    this.#context = context;
    const mapping = isObject(services) ? services : {};
    const serviceNames = Object.keys(mapping);
    return {
      serviceNames,
      services: this.#services.recall(
        // Its name is a part of what it is.
        serviceNames.map((name) => withName(name, keyOf(mapping[name], 'services', name))),
      ),
      routes: this.#routes.recall(toKeys(routes, 'routes', keyOf)),
      consumers: this.#consumers.recall(toKeys(consumers, 'consumers', keyOf)),
    };
  }

  /** From now on it has the entries of that document, in which nothing was wrong, and no others. */
  learn(document: Recollection | undefined, lesson: Lesson): void {
    this.#services = new ListMemory(document?.services, lesson.services);
    this.#routes = new ListMemory(document?.routes, lesson.routes);
    this.#consumers = new ListMemory(document?.consumers, lesson.consumers);
  }

  forget(): void {
    this.#services = new ListMemory();
    this.#routes = new ListMemory();
    this.#consumers = new ListMemory();
  }
}

class ListMemory<Facts> {
  readonly #records = new Map<string, EntryRecord<Facts>>();

  constructor(
    { records, keys }: RecalledList<Facts> = { records: [], keys: [] },
    lesson: readonly (EntryRecord<Facts> | undefined)[] = [],
  ) {
    for (const [i, key] of keys.entries()) {
      breathe(i);
      const record = records[i] ?? lesson[i];
      if (key !== undefined && record !== undefined) this.#records.set(key, record);
    }
  }

  recall(keys: readonly (string | undefined)[]): RecalledList<Facts> {
    const records = keys.map((key, i) => {
      breathe(i);
      return key === undefined ? undefined : this.#records.get(key);
    });
    return { records, keys };
  }
}

/** Of lists, holes are left in the places of entries that are known; those of a mapping are left out. */
export function withoutRecalled<Some extends Lists>(lists: Some, recalled: Recollection): Some {
  const { services, serviceNames, routes, consumers } = recalled;
  const unknown = serviceNames.filter((_, i) => services.records[i] === undefined);
  const mapping = lists.services as Readonly<Record<string, unknown>>;
  const rest = (list: unknown, { records }: RecalledList<unknown>): unknown =>
    Array.isArray(list)
      ? list.map((entry: unknown, i) => (records[i] === undefined ? entry : undefined))
      : list;
  return {
    ...lists,
    ...(unknown.length < serviceNames.length && { services: pick(mapping, unknown) }),
    routes: rest(lists.routes, routes),
    consumers: rest(lists.consumers, consumers),
  };
}

/** Without a prototype. */
function pick(
  mapping: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  // oxlint-disable-next-line unicorn/no-null -- no prototype: `__proto__` is a key like any other
  const picked = Object.create(null) as Record<string, unknown>;
  for (const name of names) picked[name] = mapping[name];
  return picked;
}

function toKeys(list: unknown, name: RememberedList, keyOf: KeyOf): (string | undefined)[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: unknown, i) => {
    breathe(i);
    return keyOf(entry, name, i);
  });
}

function withName(name: string, key: string | undefined): string | undefined {
  return key === undefined ? undefined : `${JSON.stringify(name)}${key}`;
}
