/** Prints what one match costs in tables of 10 to 100,000 routes; `node load-tests/micro/route-match.ts`. */
import type { MatchEntry } from '../../src/gateway/config/route-config.ts';
import { canonicalTarget } from '../../src/gateway/routing/canonical-path.ts';
import {
  createRouteTable,
  createRouteTableInSlices,
  type RouteTable,
} from '../../src/gateway/routing/route-table.ts';
import { HeaderFields } from '../../src/plugins/sdk/header-fields.ts';
import type { Routable, RouteSpec } from '../../src/gateway/routing/route-spec.ts';

const SIZES = [10, 1000, 10_000, 100_000];
const REQUESTS = 512;
const ROUND_MS = 400;
const HEADERS = new HeaderFields([
  'Host',
  'x',
  'Accept',
  '*/*',
  'User-Agent',
  'wrk',
  'X-Env',
  'canary',
]);

interface Shape {
  readonly name: string;
  readonly entry: (i: number) => Partial<MatchEntry>;
  readonly request: (i: number) => Partial<Routable>;
}

const SHAPES: readonly Shape[] = [
  {
    name: 'prefixes',
    entry: (i) => ({ path: { kind: 'prefix', value: `/services/route-${i}` } }),
    request: (i) => ({ path: `/services/route-${i}/items/42` }),
  },
  {
    name: 'exact paths and methods',
    entry: (i) => ({ path: { kind: 'exact', value: `/services/route-${i}` }, methods: ['GET'] }),
    request: (i) => ({ path: `/services/route-${i}` }),
  },
  {
    name: 'hosts',
    entry: (i) => ({ hosts: [`tenant-${i}.example.com`] }),
    request: (i) => ({ host: `tenant-${i}.example.com`, path: '/items/42' }),
  },
  {
    name: 'wildcard hosts',
    entry: (i) => ({ hosts: [`*.tenant-${i}.example.com`] }),
    request: (i) => ({ host: `api.tenant-${i}.example.com`, path: '/items/42' }),
  },
  {
    name: 'header matches',
    entry: (i) => ({
      path: { kind: 'prefix', value: `/services/route-${i}` },
      headers: [{ name: 'x-env', kind: 'exact', value: 'canary' }],
    }),
    request: (i) => ({ path: `/services/route-${i}/items/42` }),
  },
  {
    name: 'regexes',
    entry: (i) => ({ path: { kind: 'regex', value: `/services/route-${i}/[a-z]+/[0-9]+` } }),
    request: (i) => ({ path: `/services/route-${i}/items/42` }),
  },
  {
    name: 'no route',
    entry: (i) => ({ path: { kind: 'prefix', value: `/services/route-${i}` } }),
    request: (i) => ({ path: `/services/other-${i}` }),
  },
];

function toSpecs(shape: Shape, size: number): RouteSpec<number>[] {
  return Array.from({ length: size }, (_, i) => {
    const any: MatchEntry = {
      hosts: [],
      path: { kind: 'prefix', value: '/' },
      methods: [],
      headers: [],
      query: [],
    };
    return { name: `r${i}`, priority: 0, matches: [{ ...any, ...shape.entry(i) }], value: i };
  });
}

/** Requests spread over the table; their strings are fresh, as a parser's are. */
function toRequests(shape: Shape, size: number): Routable[] {
  return Array.from({ length: REQUESTS }, (_, n) => ({
    method: 'GET',
    host: 'api.example.com',
    path: '/',
    query: '',
    headers: HEADERS,
    ...shape.request(Math.floor((n * size) / REQUESTS)),
  }));
}

/** Nanoseconds per call, the best of three rounds. */
function measure(calls: number, run: () => number): number {
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    let done = 0;
    let elapsed = 0;
    while (elapsed < ROUND_MS / 3) {
      for (let n = 0; n < 20; n++) done += run() >= 0 ? calls : 0;
      elapsed = performance.now() - start;
    }
    best = Math.min(best, (elapsed * 1e6) / done);
  }
  return best;
}

function matchNs(table: RouteTable<number>, requests: readonly Routable[]): number {
  return measure(requests.length, () => {
    let found = 0;
    for (const request of requests) if (table.match(request) !== undefined) found++;
    return found;
  });
}

const columns = SIZES.map((size) => String(size).padStart(9)).join('');
console.log(`ns per match${' '.repeat(16)}${columns}  (routes)`);
for (const shape of SHAPES) {
  const costs = SIZES.map((size) =>
    matchNs(createRouteTable(toSpecs(shape, size)), toRequests(shape, size)),
  );
  console.log(shape.name.padEnd(28) + costs.map((ns) => ns.toFixed(0).padStart(9)).join(''));
}

for (const target of ['/services/route-1/items/42?page=2', '/a/%2e%2e/b//c%c3%a9?page=2']) {
  const cost = measure(1000, () => {
    let length = 0;
    for (let n = 0; n < 1000; n++) {
      const result = canonicalTarget(target);
      if ('path' in result) length += result.path.length;
    }
    return length;
  });
  console.log(`canonicalTarget ${target}: ${cost.toFixed(0)} ns`);
}

const specs = toSpecs(SHAPES[0]!, 100_000);
const started = performance.now();
let longestMs = 0;
let resumed = performance.now();
await createRouteTableInSlices(specs, async () => {
  longestMs = Math.max(longestMs, performance.now() - resumed);
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  resumed = performance.now();
});
const totalMs = performance.now() - started;
console.log(
  `100,000 routes built in slices: ${totalMs.toFixed(0)} ms, longest slice ${longestMs.toFixed(1)} ms`,
);
