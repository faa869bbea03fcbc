/** The part of a configuration that all nodes share, as its author wrote it. */
import { createHash } from 'node:crypto';
import type { Json } from '../../../mesh/backplane/backplane.ts';
import { isObject, type JsonObject } from '../../../mesh/backplane/json-object.ts';

/**
 * Before defaults are filled in, and with substitutions as they stand (`${…}`). What was left
 * out is empty: the two mean the same, and hash the same. Order counts in `routes` and
 * `plugins`; plugins are always a list of mappings with one plugin each.
 */
export interface SharedDocument {
  readonly certificates: JsonObject;
  readonly services: JsonObject;
  readonly routes: readonly JsonObject[];
  readonly consumers: readonly JsonObject[];
  readonly plugins: readonly JsonObject[];
}

export const SHARED_KEYS = ['services', 'routes', 'consumers', 'plugins', 'certificates'] as const;

export const EMPTY_DOCUMENT: SharedDocument = {
  certificates: {},
  services: {},
  routes: [],
  consumers: [],
  plugins: [],
};

export interface ShapeProblem {
  /** Keys and indexes from the top. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type ParsedDocument =
  | { readonly ok: true; readonly document: SharedDocument }
  | { readonly ok: false; readonly problems: readonly ShapeProblem[] };

/** What may stand beside the shared part, and says nothing. */
const IGNORED_KEYS: ReadonlySet<string> = new Set(['meshgate', '$schema']);
const MAX_DEPTH = 64;

/** Looks at the outer shape alone; whether it can be used is for the loader to say. */
export function parseSharedDocument(value: unknown): ParsedDocument {
  const steps = readShape(value);
  for (;;) {
    const { done, value: result } = steps.next();
    if (done === true) return result;
  }
}

/** As `parseSharedDocument`, for who must not hold up the event loop: a step an entry. */
export function* readShape(value: unknown): Generator<undefined, ParsedDocument> {
  const reader = new ShapeReader();
  const document = yield* reader.document(value);
  const { problems } = reader;
  return problems.length === 0 ? { ok: true, document } : { ok: false, problems };
}

/** Whether a configuration file has any of the shared part, and so owns it. */
export function ownsSharedPart(file: unknown): boolean {
  if (!isObject(file)) return false;
  return SHARED_KEYS.some((key) => Object.hasOwn(file, key) && file[key] !== undefined);
}

/** The same text for the same document, whatever the order its mappings were written in. */
export function toCanonicalJson(document: SharedDocument): string {
  return [...canonicalPieces(document)].join('');
}

/** The same text in pieces, one an entry of the document, for who must not hold up the event loop. */
export function* canonicalPieces(document: SharedDocument): Generator<string> {
  const { certificates, consumers, plugins, routes, services } = document;
  yield '{';
  // Left out where there are none, as in versions that were written before there could be any.
  if (sortedEntries(certificates).length > 0) {
    yield '"certificates":';
    yield* mappingPieces(certificates);
    yield ',';
  }
  yield '"consumers":';
  yield* listPieces(consumers);
  yield ',"plugins":';
  yield* listPieces(plugins);
  yield ',"routes":';
  yield* listPieces(routes);
  yield ',"services":';
  yield* mappingPieces(services);
  yield '}';
}

/** As canonical JSON has it: without certificates where there are none. */
export function withoutEmptyCertificates(
  document: SharedDocument,
): Omit<SharedDocument, 'certificates'> & Partial<SharedDocument> {
  const { certificates, ...rest } = document;
  return sortedEntries(certificates).length > 0 ? document : rest;
}

/** A document from its canonical JSON. */
export function fromCanonicalJson(json: string): SharedDocument {
  return { ...EMPTY_DOCUMENT, ...(JSON.parse(json) as Partial<SharedDocument>) };
}

/** SHA-256 of the canonical JSON, 64 lower-case hex digits. */
export function hashDocument(document: SharedDocument): string {
  const hash = createHash('sha256');
  for (const piece of canonicalPieces(document)) hash.update(piece);
  return hash.digest('hex');
}

function* mappingPieces(mapping: JsonObject): Generator<string> {
  let separator = '{';
  for (const [name, value] of sortedEntries(mapping)) {
    yield `${separator}${JSON.stringify(name)}:${toSortedJson(value)}`;
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

function* listPieces(list: readonly Json[]): Generator<string> {
  yield '[';
  for (const [index, item] of list.entries())
    yield `${index === 0 ? '' : ','}${toSortedJson(item)}`;
  yield ']';
}

/** Written out rather than handed to `JSON.stringify`, which puts keys like `404` first. */
function toSortedJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => toSortedJson(item as Json)).join(',')}]`;
  const entries = sortedEntries(value as JsonObject);
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${toSortedJson(member)}`).join(',')}}`;
}

/** By UTF-16 code units, as in RFC 8785. */
export function sortedEntries(object: JsonObject): (readonly [string, Json])[] {
  const entries = Object.entries(object).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  );
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

class ShapeReader {
  readonly problems: ShapeProblem[] = [];
  readonly #path: (string | number)[] = [];

  *document(value: unknown): Generator<undefined, SharedDocument> {
    if (!isObject(value)) {
      this.#report('must be a mapping with services, routes, consumers, plugins and certificates');
      return EMPTY_DOCUMENT;
    }
    for (const key of Object.keys(value)) {
      if ((SHARED_KEYS as readonly string[]).includes(key) || IGNORED_KEYS.has(key)) continue;
      this.#below(key, () =>
        this.#report('is a part of its own of each node: it belongs in the file of the node'),
      );
    }
    return {
      services: yield* this.#entries('services', value['services'] ?? {}),
      routes: yield* this.#list('routes', value['routes'] ?? [], (one) => this.#route(one)),
      consumers: yield* this.#list('consumers', value['consumers'] ?? [], (one) =>
        this.#mapping(one),
      ),
      plugins: yield* this.#plugins(value['plugins'] ?? []),
      certificates: yield* this.#entries('certificates', value['certificates'] ?? {}),
    };
  }

  *#entries(key: string, value: unknown): Generator<undefined, JsonObject> {
    this.#path.push(key);
    const entries: [string, Json][] = [];
    if (isObject(value)) {
      for (const [name, entry] of Object.entries(value)) {
        if (entry === undefined) continue;
        entries.push([name, this.#below(name, () => this.#json(entry))]);
        yield;
      }
    } else {
      this.#report('must be a mapping');
    }
    this.#path.pop();
    return Object.fromEntries(entries);
  }

  #route(value: unknown): JsonObject {
    return this.#withPlugins(this.#withTargets(this.#mapping(value)));
  }

  #withTargets(route: JsonObject): JsonObject {
    const { to } = route;
    if (Array.isArray(to))
      return { ...route, to: to.map((target) => this.#target(target as Json)) };
    return isObject(to) ? { ...route, to: this.#target(to) } : route;
  }

  #target(target: Json): Json {
    return isObject(target) ? this.#withPlugins(target) : target;
  }

  /** A mapping of plugins has an order, which sorted keys would lose. */
  #withPlugins(holder: JsonObject): JsonObject {
    const { plugins } = holder;
    return isObject(plugins) ? { ...holder, plugins: toPluginList(plugins) } : holder;
  }

  *#plugins(value: unknown): Generator<undefined, readonly JsonObject[]> {
    if (isObject(value)) return this.#below('plugins', () => toPluginList(this.#mapping(value)));
    return yield* this.#list('plugins', value, (one) => this.#mapping(one));
  }

  *#list(
    key: string,
    value: unknown,
    read: (item: unknown) => JsonObject,
  ): Generator<undefined, readonly JsonObject[]> {
    this.#path.push(key);
    const items: JsonObject[] = [];
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        items.push(this.#below(index, () => read(item)));
        yield;
      }
    } else {
      this.#report('must be a list');
    }
    this.#path.pop();
    return items;
  }

  #mapping(value: unknown): JsonObject {
    if (isObject(value)) return this.#json(value) as JsonObject;
    this.#report('must be a mapping');
    return {};
  }

  /** A copy that is JSON and nothing else, with no other prototype, setter or cycle in it. */
  #json(value: unknown): Json {
    if (this.#path.length > MAX_DEPTH) {
      this.#report(`is nested too deeply: more than ${MAX_DEPTH} levels`);
      return null;
    }
    if (Array.isArray(value)) {
      return value.map((item: unknown, index) => this.#below(index, () => this.#json(item)));
    }
    if (isObject(value)) {
      const entries = Object.entries(value).filter(([, member]) => member !== undefined);
      return Object.fromEntries(
        entries.map(([key, member]) => [key, this.#below(key, () => this.#json(member))]),
      );
    }
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#report('is no value that JSON has');
    return null;
  }

  #below<T>(step: string | number, read: () => T): T {
    this.#path.push(step);
    const result = read();
    this.#path.pop();
    return result;
  }

  #report(message: string): void {
    this.problems.push({ path: [...this.#path], message });
  }
}

function toPluginList(plugins: JsonObject): readonly JsonObject[] {
  return Object.entries(plugins).map(([name, config]) => Object.fromEntries([[name, config]]));
}
