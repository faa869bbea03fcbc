/**
 * Prints what a request pays for the memory of its route when there are too many for the processor's
 * caches: match, target and metrics of one of 10 and of 10,000 routes, in random order, with as much
 * garbage between any two as a request makes. `node --expose-gc load-tests/micro/cold-routes.ts`.
 */
import { Registry } from 'prom-client';
import { compileRoute, type RouteCompiler } from '../../src/gateway/config/compile-route.ts';
import type { RouteConfig } from '../../src/gateway/config/route-config.ts';
import type { CompiledRoute } from '../../src/gateway/config/snapshot.ts';
import { createRequestMetrics } from '../../src/gateway/observe/request-metrics.ts';
import { createRouteTable, type RouteTable } from '../../src/gateway/routing/route-table.ts';
import { HeaderFields } from '../../src/plugins/sdk/header-fields.ts';
import { median } from '../statistics.ts';

const SIZES = [10, 10_000] as const;
const ROUNDS = 15;
const REQUESTS = 20_000;
/** Objects of 56 bytes: about 19 KB, what a request over HTTP/1.1 leaves behind. */
const GARBAGE_OBJECTS = 340;
const HEADERS = new HeaderFields(['Host', 'api.example.com']);

function toRouteConfig(i: number): RouteConfig {
  return {
    name: `service-${i}`,
    priority: 0,
    listeners: [],
    matches: [
      {
        hosts: [],
        path: { kind: 'prefix', value: `/service-${i}` },
        methods: [],
        headers: [],
        query: [],
      },
    ],
    targets: [
      {
        kind: 'respond',
        weight: 1,
        plugins: [],
        respond: { status: 204, headers: [], body: '' },
      },
    ],
    rewrite: undefined,
    timeoutMs: 60_000,
    retry: undefined,
    mirrors: [],
    plugins: [],
    allowEncodedSlash: false,
  };
}

function createTable(size: number): RouteTable<CompiledRoute> {
  const metrics = createRequestMetrics(new Registry());
  const absent = () => {
    throw new Error('these routes have neither services nor plugins');
  };
  const compiler: RouteCompiler = {
    service: absent,
    balancer: absent,
    plugin: absent,
    cellsOf: (route) => metrics.cellsOf(route),
    everywhere: [],
    chains: new Map(),
  };
  return createRouteTable(
    Array.from({ length: size }, (_, i) => {
      const config = toRouteConfig(i);
      return { ...config, value: compileRoute(config, compiler) };
    }),
  );
}

/** What the request path touches of a route. */
function request(table: RouteTable<CompiledRoute>, i: number): number {
  const path = `/service-${i}/items/42`;
  const match = table.match({ method: 'GET', host: '', path, query: '', headers: HEADERS })!;
  const route = match.value;
  const target = route.soleTarget!;
  const hooks =
    route.hooks.onRequest.length + target.ownRequestHooks.length + target.hooks.onLog.length;
  route.cells.record('public', '', 'GET', 204, (i & 1023) / 1e5);
  return hooks + route.timeoutMs + route.mirrors.length + route.name.charCodeAt(0);
}

interface Garbage {
  readonly before: Garbage | undefined;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}
let garbage: Garbage | undefined;

/** Nanoseconds per request, garbage included. */
function measure(table: RouteTable<CompiledRoute>, size: number): number {
  const started = performance.now();
  let lot = 12_345;
  for (let n = 0; n < REQUESTS; n++) {
    garbage = undefined;
    for (let i = 0; i < GARBAGE_OBJECTS; i++) {
      garbage = { before: i % 8 === 0 ? undefined : garbage, a: i, b: n, c: lot };
    }
    lot = (Math.imul(lot, 1_103_515_245) + 12_345) >>> 0;
    if (request(table, (lot >>> 8) % size) === 0) throw new Error('a route has no limit of time');
  }
  return ((performance.now() - started) * 1e6) / REQUESTS;
}

const [few, many] = SIZES.map((size) => ({ size, table: createTable(size) }));
globalThis.gc?.();
// The first round is a warm-up.
const rounds = Array.from({ length: ROUNDS + 1 }, () => {
  const base = measure(few!.table, few!.size);
  return { base, more: measure(many!.table, many!.size) - base };
}).slice(1);
console.log(
  `one of ${SIZES.join(' and ')} routes: ${median(rounds.map(({ base }) => base)).toFixed(0)} ns, ` +
    `and ${median(rounds.map(({ more }) => more)).toFixed(0)} ns more`,
);
