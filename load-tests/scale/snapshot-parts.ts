/** What turns configurations into snapshots, without a node around it. */
import { Registry } from 'prom-client';
import { createSnapshotFactory, type SnapshotFactory } from '../../src/app/snapshot-factory.ts';
import { createRequestMetrics } from '../../src/gateway/observe/request-metrics.ts';
import { createStaticSource } from '../../src/mesh/discovery/static.ts';
import { createMemoryCounters } from '../../src/mesh/limits/memory-counters.ts';
import type { Log } from '../../src/plugins/sdk/plugin-context.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';

const nothing = (): void => {};
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const CLOCK = { now: () => Date.now(), monotonic: () => performance.now() };

export function createStandaloneFactory(): SnapshotFactory {
  const registry = new Registry();
  return createSnapshotFactory({
    surroundings: {
      environment: {
        ...CLOCK,
        random: Math.random,
        zone: undefined,
        onRetry: nothing,
        onEjection: nothing,
        onHealthEvent: nothing,
      },
      log: SILENT,
      stickyKey: () => Buffer.alloc(32),
      meshSource: () => createStaticSource([]),
    },
    pluginEnvironment: {
      catalogue: standardPlugins,
      log: SILENT,
      registry,
      counters: createMemoryCounters({ clock: CLOCK }),
      clock: CLOCK,
      random: Math.random,
      fetchJson: () => Promise.reject(new Error('nothing is fetched here')),
      configDir: '.',
    },
    requestMetrics: createRequestMetrics(registry),
    gatewayMetrics: { serviceGone: nothing },
    monotonic: CLOCK.monotonic,
    log: SILENT,
  });
}
