/** From one configuration to the next: what nobody uses any more is forgotten, also where it counted. */
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createSnapshotFactory, type SnapshotFactory } from '../../src/app/snapshot-factory.ts';
import type { CompiledSnapshot } from '../../src/gateway/config/compile.ts';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { createRequestMetrics } from '../../src/gateway/observe/request-metrics.ts';
import { createStaticSource } from '../../src/mesh/discovery/static.ts';
import {
  createMemoryCounters,
  type MemoryCounters,
} from '../../src/mesh/limits/memory-counters.ts';
import { HeaderFields } from '../../src/plugins/sdk/header-fields.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';
import { CLOCK, SILENT } from '../contracts/backplane-fixture.ts';
import { createFolder } from '../gateway/config/config-file.ts';

let registry: Registry;
let counters: MemoryCounters;
let gone: string[];
let factory: SnapshotFactory;
let revision: number;

function ignore(): void {}

beforeEach(() => {
  registry = new Registry();
  counters = createMemoryCounters({ clock: CLOCK });
  gone = [];
  revision = 0;
  const requestMetrics = createRequestMetrics(registry);
  factory = createSnapshotFactory({
    surroundings: {
      environment: {
        monotonic: CLOCK.monotonic,
        now: CLOCK.now,
        random: Math.random,
        zone: undefined,
        onRetry: ignore,
        onEjection: ignore,
        onHealthEvent: ignore,
      },
      log: SILENT,
      stickyKey: () => Buffer.alloc(32),
      meshSource: () => createStaticSource([]),
    },
    pluginEnvironment: {
      catalogue: standardPlugins,
      log: SILENT,
      registry,
      counters,
      clock: CLOCK,
      random: Math.random,
      fetchJson: () => Promise.reject(new Error('no network')),
      configDir: '.',
    },
    requestMetrics,
    gatewayMetrics: { serviceGone: (name) => gone.push(name) },
    monotonic: CLOCK.monotonic,
    log: SILENT,
  });
});

/** A route to a service, both of that name; the service waits so many seconds for an answer. */
async function compile(name: string, seconds = 1): Promise<CompiledSnapshot> {
  const folder = await createFolder({
    'meshgate.yaml': `meshgate: 1
services: { ${name}: { endpoints: [{ address: 127.0.0.1:1 }], timeouts: { response: ${seconds}s } } }
routes:
  - { name: ${name}, match: [{ path: /* }], to: ${name}, plugins: [rate-limit: { limit: 10, window: 1h, by: ip }] }
`,
  });
  const loaded = await loadConfig(`${folder}/meshgate.yaml`, {
    catalogue: standardPlugins,
    env: {},
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return factory.compile(loaded.config, ++revision, String(revision));
}

const REQUEST = { method: 'GET', host: 'any', path: '/', query: '', headers: new HeaderFields([]) };

/** Counts an exchange on the one route there is. */
function record(snapshot: CompiledSnapshot): void {
  const [plan] = snapshot.listeners.values();
  const { value } = plan!.table.match(REQUEST)!;
  value.cells.record('http', value.name, 'GET', 200, 0.001);
}

async function routesOf(metric: string): Promise<string[]> {
  const text = await registry.metrics();
  return [...text.matchAll(new RegExp(`^${metric}\\{.*route="(\\w+)"`, 'gm'))].map(
    ([, route]) => route!,
  );
}

describe('snapshots, one after the other', () => {
  it('leave no trace of services that are gone, and know those that are only reconfigured', async () => {
    const first = await compile('orders', 1);
    const second = await compile('orders', 2);
    first.lease.supersede();
    expect(gone).toEqual([]);
    const third = await compile('users');
    second.lease.supersede();
    expect(gone).toEqual(['orders']);
    third.lease.supersede();
    expect(gone).toEqual(['orders', 'users']);
  });

  it('forget what was counted of a route once the last that had it is retired', async () => {
    const first = await compile('orders', 1);
    record(first);
    const second = await compile('orders', 2);
    first.lease.supersede();
    expect(await routesOf('meshgate_requests_total')).toEqual(['orders']);
    second.lease.acquire();
    const third = await compile('users');
    second.lease.supersede();
    // An exchange still counts there.
    record(second);
    record(third);
    expect(await routesOf('meshgate_requests_total')).toEqual(['orders', 'users']);
    second.lease.release();
    expect(await routesOf('meshgate_requests_total')).toEqual(['users']);
    third.lease.supersede();
  });

  it('forget the limits of a route that is gone, and go on counting for one that stays', async () => {
    const first = await compile('orders', 1);
    const second = await compile('orders', 2);
    first.lease.supersede();
    expect(counters.size).toBe(1);
    const third = await compile('users');
    second.lease.supersede();
    await vi.waitFor(() => expect(counters.size).toBe(1));
    third.lease.supersede();
    await vi.waitFor(() => expect(counters.size).toBe(0));
  });
});
