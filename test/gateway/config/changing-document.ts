/** Random documents, each made from the one before by a few edits, with much of what may be right or wrong in one. */
import { array, constantFrom, integer, oneof, record, tuple, type Arbitrary } from 'fast-check';

export interface ChangingDocument {
  readonly services: Readonly<Record<string, unknown>>;
  readonly routes: readonly unknown[];
  readonly consumers: readonly unknown[];
  readonly plugins: readonly unknown[];
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', '7'];
const name = constantFrom(...names);
const HASHES = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`);

const service = oneof(
  { weight: 4, arbitrary: constantFrom<unknown>({ endpoints: [{ address: '127.0.0.1:1' }] }) },
  constantFrom<unknown>(
    { endpoints: [] },
    { endpoints: [{ address: '127.0.0.1:2', metadata: { version: 'v1' } }] },
    { endpoints: [{ address: '${ADDRESS}' }] },
    { endpoints: [{ address: '127.0.0.1:3' }], timeouts: { response: '2s' } },
    {
      discover: { mesh: 'm' },
      balancer: { sticky: { secret: 'very-secret-text-of-32-characters' } },
    },
    // Wrong.
    { endpoints: [{ address: 'nowhere' }] },
    {},
  ),
);

const match = oneof(
  record({ path: constantFrom('/', '/a/*', '/a/b', '/c/*', '~^/x[0-9]+') }),
  record({
    path: constantFrom('/a/*', '/b'),
    hosts: constantFrom(['x.test'], ['*.test', 'y.test']),
  }),
  record({
    path: constantFrom('/a/*'),
    methods: constantFrom(['GET'], ['POST', 'PUT']),
    headers: constantFrom({}, { 'x-a': '1' }),
  }),
);

const plugins = constantFrom<unknown>(
  [],
  [],
  [{ 'rate-limit': { limit: 5, window: '1h' } }],
  [{ 'rate-limit': { limit: 5, window: '1h', by: 'consumer' } }],
  [{ 'api-key': {} }, { acl: { allow: ['a'] } }],
  [{ 'api-key': {} }, { acl: { allow: ['b', 'group:g'] } }],
  { headers: { request: { set: { 'x-secret': '${SECRET}' } } } },
  // Wrong.
  [{ 'rate-limit': { limit: 0, window: '1h' } }],
);

const to = oneof(
  { weight: 6, arbitrary: name },
  constantFrom<unknown>(
    { service: 'a', where: { version: 'v1' } },
    [
      { service: 'a', weight: 0 },
      { service: 'b', weight: 0 },
    ],
    [
      { service: 'b', weight: 2, plugins: [{ 'rate-limit': { limit: 9, window: '1m' } }] },
      { service: 'a' },
    ],
  ),
);

const route = record(
  {
    name,
    match: oneof(match, array(match, { minLength: 1, maxLength: 3 })),
    to,
    plugins,
    priority: constantFrom(0, 0, 1),
    timeout: constantFrom('0s', '5s', '6s', '${WAIT}', 'soon'),
    mirror: constantFrom<unknown>([], [{ service: 'b', percent: 5 }]),
    listeners: constantFrom(['one'], ['two', 'one'], ['none']),
  },
  { requiredKeys: ['name', 'match', 'to'] },
);

const consumer = record({
  name,
  groups: constantFrom([], ['g'], ['${GROUP}']),
  apiKeys: constantFrom(...HASHES).map((hash) => [{ hash }]),
});

type Edit = (document: ChangingDocument) => ChangingDocument;
type List = 'routes' | 'consumers';

const place = integer({ min: 0, max: 30 });
const list = constantFrom<List>('routes', 'routes', 'routes', 'consumers');

const edit: Arbitrary<Edit> = oneof(
  tuple(place, route).map(([at, one]): Edit => (d) => ({
    ...d,
    routes: insert(d.routes, at, one),
  })),
  tuple(place, route).map(([at, one]): Edit => (d) => ({
    ...d,
    routes: replace(d.routes, at, one),
  })),
  tuple(place, consumer).map(([at, one]): Edit => (d) => ({
    ...d,
    consumers: insert(d.consumers, at, one),
  })),
  tuple(list, place).map(([key, at]): Edit => (d) => ({ ...d, [key]: without(d[key], at) })),
  tuple(list, place, place).map(([key, from, at]): Edit => (d) => ({
    ...d,
    [key]: move(d[key], from, at),
  })),
  tuple(name, service).map(([key, one]): Edit => (d) => ({
    ...d,
    services: { ...d.services, [key]: one },
  })),
  name.map((key): Edit => (d) => {
    const { [key]: _, ...services } = d.services;
    return { ...d, services };
  }),
  plugins.map((some): Edit => (d) => ({ ...d, plugins: Array.isArray(some) ? some : [] })),
);

const GOOD = { endpoints: [{ address: '127.0.0.1:9' }] };

const FIRST: ChangingDocument = {
  services: Object.fromEntries(names.map((one) => [one, GOOD])),
  routes: names.map((one) => ({ name: `first-${one}`, match: { path: `/${one}/*` }, to: one })),
  consumers: [{ name: 'a', groups: ['g'] }],
  plugins: [],
};

/** In their order; many are refused, and others are not. */
export const changingDocuments: Arbitrary<readonly ChangingDocument[]> = array(
  tuple(array(edit, { minLength: 1, maxLength: 3 }), integer({ min: 0, max: 3 })),
  { minLength: 1, maxLength: 12 },
).map((steps) => {
  const documents = [FIRST];
  for (const [edits, luck] of steps) {
    const last = documents.at(-1)!;
    const next = edits.reduce((document, change) => change(document), last);
    // Mostly what was wrong is mended, and nothing else is touched.
    documents.push(luck === 0 ? next : toMended(next));
  }
  return documents;
});

function at(items: readonly unknown[], place: number): number {
  return place % (items.length + 1);
}

function insert(items: readonly unknown[], place: number, item: unknown): readonly unknown[] {
  return items.toSpliced(at(items, place), 0, item);
}

function replace(items: readonly unknown[], place: number, item: unknown): readonly unknown[] {
  return items.toSpliced(at(items, place), 1, item);
}

function without(items: readonly unknown[], place: number): readonly unknown[] {
  return items.toSpliced(at(items, place), 1);
}

function move(items: readonly unknown[], from: number, to: number): readonly unknown[] {
  const start = at(items, from);
  return insert(
    items.toSpliced(start, 1),
    to,
    items[start] ?? { name: 'moved', match: {}, to: 'a' },
  );
}

/** Of entries that are refused wherever they stand. */
const WRONG = /soon|none|"limit":0|moved/;

function toMended(document: ChangingDocument): ChangingDocument {
  const unique = (items: readonly unknown[]): unknown[] => {
    const byName = new Map(items.map((item) => [(item as { name: string }).name, item]));
    return [...byName.values()].filter((item) => !WRONG.test(JSON.stringify(item)));
  };
  return {
    ...document,
    services: Object.fromEntries(
      names.map((one) => {
        const known = JSON.stringify(document.services[one] ?? {});
        return [one, known === '{}' || known.includes('nowhere') ? GOOD : document.services[one]];
      }),
    ),
    routes: unique(document.routes),
    plugins: document.plugins.filter((plugin) => !WRONG.test(JSON.stringify(plugin))),
    consumers: withoutSharedKeys(unique(document.consumers)),
  };
}

function withoutSharedKeys(consumers: readonly unknown[]): readonly unknown[] {
  const byKeys = new Map(
    consumers.map((one) => [JSON.stringify((one as { apiKeys?: unknown }).apiKeys), one]),
  );
  const rest = [...byKeys.values()].filter((one) => (one as { name: string }).name !== 'a');
  // Plugins name this one.
  return [...rest, ...FIRST.consumers];
}
