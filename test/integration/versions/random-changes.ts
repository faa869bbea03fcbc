/** Changes of a configuration at random, valid and not, and what each of them makes of a document. */
import type { FleetNode, Question } from './admin-fleet.ts';

export interface SharedPart {
  readonly services: Readonly<Record<string, unknown>>;
  readonly routes: readonly Named[];
  readonly consumers: readonly Named[];
  readonly plugins: readonly unknown[];
}

interface Named {
  readonly name: string;
  readonly [key: string]: unknown;
}

export interface Change {
  readonly what: string;
  readonly isValid: boolean;
  /** `tag` is of one try alone, and goes into the version's message. Undefined: it was not asked. */
  ask(node: FleetNode, tag: string): Promise<AskedFor | undefined>;
}

/** A request that changes something, and what it stands for. */
export interface AskedFor {
  readonly path: string;
  readonly question: Question;
  /** What is to become of the version before; `versions` are all there are, by number. */
  readonly toNext: (before: SharedPart, versions: ReadonlyMap<number, SharedPart>) => SharedPart;
}

const ROUTES = 6;
const SERVICES = 3;

/** Version 1 of each run. */
export const FIRST: SharedPart = {
  services: Object.fromEntries(
    Array.from({ length: SERVICES }, (_, i) => [`s${i}`, toService('first')]),
  ),
  routes: [
    ...Array.from({ length: ROUTES }, (_, i) => toRoute(i, 'first')),
    { name: 'uses', match: [{ path: '/uses' }], to: 's0' },
  ],
  consumers: [],
  plugins: [],
};

export const PATHS = Array.from({ length: ROUTES }, (_, i) => `/r${i}`);

/** What a path is answered with by a document: a status where no route has it. */
export function answerBy({ routes }: SharedPart, path: string): string {
  const found = routes.find(({ name }) => `/${name}` === path);
  return found === undefined ? '404' : (found['respond'] as { body: string }).body;
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In any order, with as many valid ones as asked for. */
export function planChanges(count: number, validCount: number, random: () => number): Change[] {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const changes = Array.from({ length: count }, (_, i) =>
    pick(i < validCount ? VALID : INVALID)(random),
  );
  // Fisher–Yates.
  for (let i = changes.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [changes[i], changes[j]] = [changes[j]!, changes[i]!];
  }
  return changes;
}

type MakeChange = (random: () => number) => Change;

const one = (random: () => number, count: number): number => Math.floor(random() * count);

const VALID: readonly MakeChange[] = [
  (random) => {
    const i = one(random, ROUTES);
    return change(`put route ${i}`, (tag) => {
      const route = toRoute(i, tag);
      return [...put(`/v1/routes/r${i}`, route), (before) => withRoute(before, route)];
    });
  },
  (random) => {
    const i = one(random, ROUTES);
    return change(`patch route ${i}`, (tag) => {
      const question = { method: 'PATCH', body: { respond: { body: tag } } };
      return [`/v1/routes/r${i}`, question, (before) => withRoute(before, toRoute(i, tag))];
    });
  },
  (random) => {
    const i = one(random, ROUTES);
    return change(`delete route ${i}`, () => [
      `/v1/routes/r${i}`,
      { method: 'DELETE' },
      (before) => ({
        ...before,
        routes: before.routes.filter(({ name }) => name !== `r${i}`),
      }),
    ]);
  },
  (random) => {
    const i = one(random, SERVICES);
    return change(`put service ${i}`, (tag) => [
      ...put(`/v1/services/s${i}`, toService(tag)),
      (before) => ({ ...before, services: { ...before.services, [`s${i}`]: toService(tag) } }),
    ]);
  },
  (random) => {
    const name = `c${one(random, 4)}`;
    return change(`put consumer ${name}`, (tag) => [
      ...put(`/v1/consumers/${name}`, { groups: [tag] }),
      (before) => ({
        ...before,
        consumers: withNamed(before.consumers, { name, groups: [tag] }),
      }),
    ]);
  },
  () => whole('put whole', true, (document, tag) => withRoute(document, toRoute(0, tag))),
  (random) => {
    const share = random();
    return {
      what: 'roll back',
      isValid: true,
      async ask(node, tag) {
        const head = Number((await node.ask('/v1/config')).headers.get('meshgate-version') ?? 0);
        if (head === 0) return undefined;
        const version = 1 + Math.floor(share * head);
        const question = { method: 'POST', body: { version, message: tag } };
        const toNext: AskedFor['toNext'] = (_, versions) => versions.get(version)!;
        return { path: '/v1/config/rollback', question, toNext };
      },
    };
  },
];

const REFUSED = (): never => {
  throw new Error('a change that is not valid was accepted');
};

const INVALID: readonly MakeChange[] = [
  (random) => {
    const i = one(random, ROUTES);
    return change(
      'put a route to nowhere',
      () => [...put(`/v1/routes/r${i}`, { match: [{ path: `/r${i}` }], to: 'nobody' }), REFUSED],
      false,
    );
  },
  (random) => {
    const i = one(random, ROUTES);
    const question = { method: 'PATCH', body: { timeout: 'soon' } };
    return change('patch with nonsense', () => [`/v1/routes/r${i}`, question, REFUSED], false);
  },
  () =>
    change('delete what is used', () => ['/v1/services/s0', { method: 'DELETE' }, REFUSED], false),
  () =>
    change(
      'delete what is not there',
      () => ['/v1/routes/no', { method: 'DELETE' }, REFUSED],
      false,
    ),
  () =>
    change(
      'put upon another version',
      (tag) => {
        const headers = { 'if-match': '"0"' };
        return ['/v1/config', { method: 'PUT', headers, body: withTag(FIRST, tag) }, REFUSED];
      },
      false,
    ),
  // One part of it is good: if that were applied, the next version would have it.
  () =>
    whole('put whole with a fault', false, (document, tag) => ({
      ...withTag(document, tag),
      services: { ...document.services, s1: { endpoints: 'none' } },
    })),
];

type Request = readonly [path: string, question: Question, toNext: AskedFor['toNext']];

function change(what: string, toRequest: (tag: string) => Request, isValid = true): Change {
  return {
    what,
    isValid,
    async ask(_node, tag) {
      const [path, question, toNext] = toRequest(tag);
      return { path: `${path}?message=${tag}`, question, toNext };
    },
  };
}

/** Read, changed, and written on the condition that nobody else has. */
function whole(
  what: string,
  isValid: boolean,
  edit: (document: SharedPart, tag: string) => SharedPart,
): Change {
  return {
    what,
    isValid,
    async ask(node, tag) {
      const { status, headers, body } = await node.ask('/v1/config');
      const etag = headers.get('etag');
      if (status !== 200 || etag === null) return undefined;
      const document = { ...EMPTY, ...body } as SharedPart;
      return {
        path: `/v1/config?message=${tag}`,
        question: { method: 'PUT', headers: { 'if-match': etag }, body: edit(document, tag) },
        toNext: isValid ? (before) => edit(before, tag) : REFUSED,
      };
    },
  };
}

const EMPTY: SharedPart = {
  services: {},
  routes: [],
  consumers: [],
  plugins: [],
};

function put(path: string, value: unknown): readonly [string, Question] {
  return [path, { method: 'PUT', body: value }];
}

function toRoute(i: number, tag: string): Named {
  return { name: `r${i}`, match: [{ path: `/r${i}` }], respond: { status: 200, body: tag } };
}

function toService(tag: string): unknown {
  return { endpoints: [{ address: '127.0.0.1:9', metadata: { tag } }] };
}

function withRoute(document: SharedPart, route: Named): SharedPart {
  return { ...document, routes: withNamed(document.routes, route) };
}

function withTag(document: SharedPart, tag: string): SharedPart {
  return withRoute(document, toRoute(1, tag));
}

function withNamed(list: readonly Named[], value: Named): readonly Named[] {
  const at = list.findIndex(({ name }) => name === value.name);
  return at === -1 ? [...list, value] : list.with(at, value);
}
