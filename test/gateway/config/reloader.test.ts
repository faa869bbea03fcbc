import { queryObjects } from 'node:v8';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { compileSnapshot, type CompiledSnapshot } from '../../../src/gateway/config/compile.ts';
import type { Config } from '../../../src/gateway/config/config.ts';
import { createStaticSource } from '../../../src/mesh/discovery/static.ts';
import { createService } from '../../../src/gateway/config/create-service.ts';
import { KeyedPool } from '../../../src/gateway/config/keyed-pool.ts';
import { createUndeclaredServices } from '../../../src/gateway/config/mesh-service.ts';
import { loadConfig, type LoadResult } from '../../../src/gateway/config/load.ts';
import { Reloader } from '../../../src/gateway/config/reloader.ts';
import { SnapshotSlot, type PreparedListeners } from '../../../src/gateway/config/snapshot-slot.ts';
import { SnapshotLease } from '../../../src/gateway/config/snapshot-lease.ts';
import { createRequestMetrics } from '../../../src/gateway/observe/request-metrics.ts';
import type { PluginInstance } from '../../../src/gateway/pipeline/hooks.ts';
import { Service } from '../../../src/mesh/service/service.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { createFolder } from './config-file.ts';

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** A file whose one service waits so many seconds for an answer. */
async function load(seconds: number | string): Promise<LoadResult> {
  const folder = await createFolder({
    'meshgate.yaml': `meshgate: 1
services: { app: { endpoints: [{ address: 127.0.0.1:1 }], timeouts: { response: ${seconds}s } } }
routes: [{ name: app, match: [{ path: /* }], to: app }]
`,
  });
  return loadConfig(`${folder}/meshgate.yaml`, { catalogue: standardPlugins, env: {} });
}

interface Bench {
  readonly reloader: Reloader;
  /** What it has told, in order. */
  readonly told: string[];
  readonly services: KeyedPool<Service>;
  file: LoadResult;
  prepare: () => Promise<PreparedListeners>;
  onLoad: () => void;
}

async function createBench(): Promise<Bench> {
  const told: string[] = [];
  const services = new KeyedPool<Service>((service) => void service.stop());
  const plugins = new KeyedPool<PluginInstance>(ignore);
  const metrics = createRequestMetrics(new Registry());
  const monotonic = (): number => performance.now();
  const environment = {
    monotonic,
    now: Date.now,
    random: Math.random,
    zone: undefined,
    onRetry: ignore,
    onEjection: ignore,
    onHealthEvent: ignore,
  };
  const compile = (config: Config, revision: number, hash: string): Promise<CompiledSnapshot> =>
    compileSnapshot(
      config,
      { revision, hash },
      {
        services,
        plugins,
        createService: (service) =>
          createService(service, {
            environment,
            log: silent,
            stickyKey: () => Buffer.alloc(32),
            meshSource: () => createStaticSource([]),
          }),
        createPlugin: () => {
          throw new Error('no plugin is configured');
        },
        cellsOf: (route) => metrics.cellsOf(route),
        undeclared: createUndeclaredServices(),
        onDemand: { find: () => undefined },
        pause: () => Promise.resolve(),
        monotonic,
      },
    );
  const bench: Bench = {
    told,
    services,
    file: await load(1),
    prepare: () =>
      Promise.resolve({
        commit: () => void told.push('committed'),
        rollback: async () => void told.push('rolled back'),
      }),
    onLoad: ignore,
    reloader: new Reloader({
      log: silent,
      load: async () => {
        bench.onLoad();
        return bench.file;
      },
      slot: new SnapshotSlot(compile),
      prepareListeners: () => bench.prepare(),
      onApplied: (_config, _hash, revision) => void told.push(`applied ${revision}`),
      onUnchanged: () => void told.push('unchanged'),
      onRefused: (errors) => void told.push(`refused: ${errors.join('; ')}`),
    }),
  };
  return bench;
}

describe('the reloader', () => {
  it('applies a good file once, and says so where it is the same', async () => {
    const { reloader, told } = await createBench();
    expect(await reloader.apply()).toBe(true);
    expect(await reloader.apply()).toBe(true);
    expect(reloader.current.revision).toBe(1);
    expect(told).toEqual(['committed', 'applied 1', 'unchanged']);
  });

  it('leaves what runs where the file is bad', async () => {
    const bench = await createBench();
    await bench.reloader.apply();
    const running = bench.reloader.current;
    bench.file = await load('soon');
    expect(await bench.reloader.apply()).toBe(false);
    expect(bench.reloader.current).toBe(running);
    expect(bench.told.at(-1)).toMatch(/^refused: .*meshgate\.yaml:2:/);
  });

  it('leaves what runs, and lets go of the new, where a listener cannot be opened', async () => {
    const bench = await createBench();
    await bench.reloader.apply();
    const running = bench.reloader.current;
    bench.file = await load(2);
    bench.prepare = () => Promise.reject(new Error('the port is taken'));
    expect(await bench.reloader.apply()).toBe(false);
    expect(bench.reloader.current).toBe(running);
    expect(bench.services.size).toBe(1);
    expect(bench.told.at(-1)).toBe('refused: the port is taken');
  });

  it('looks once more where the file changes while it is being applied', async () => {
    const bench = await createBench();
    const second = await load(2);
    let loads = 0;
    bench.onLoad = () => {
      loads++;
      if (loads > 1) return;
      queueMicrotask(() => {
        void bench.reloader.apply();
        void bench.reloader.apply();
        bench.file = second;
      });
    };
    await bench.reloader.apply();
    expect(bench.told.filter((line) => line.startsWith('applied'))).toEqual([
      'applied 1',
      'applied 2',
    ]);
    expect(loads).toBe(2);
  });

  it('opens nothing any more once it is frozen', async () => {
    const bench = await createBench();
    await bench.reloader.apply();
    bench.file = await load(2);
    const { prepare } = bench;
    bench.prepare = () => {
      // The signal comes while the doors are being opened.
      bench.reloader.freeze();
      return prepare();
    };
    expect(await bench.reloader.apply()).toBe(false);
    expect(bench.reloader.current.revision).toBe(1);
    expect(bench.told).toEqual(['committed', 'applied 1', 'rolled back']);
    expect(bench.services.size).toBe(1);
  });

  it('keeps one snapshot and one service alive through 200 changes', async () => {
    const bench = await createBench();
    const [one, two] = [await load(1), await load(2)];
    const before = count();
    for (let i = 0; i < 200; i++) {
      bench.file = i % 2 === 0 ? one : two;
      expect(await bench.reloader.apply()).toBe(true);
    }
    expect(bench.reloader.current.revision).toBe(200);
    const after = count();
    expect(after.snapshots - before.snapshots).toBe(1);
    expect(after.services - before.services).toBe(1);
  });

  it('retires a snapshot only when the last exchange on it has ended', async () => {
    const bench = await createBench();
    await bench.reloader.apply();
    const first = bench.reloader.current;
    first.lease.acquire();
    bench.file = await load(2);
    await bench.reloader.apply();
    expect(bench.services.size).toBe(2);
    first.lease.release();
    expect(bench.services.size).toBe(1);
    bench.reloader.stop();
    expect(bench.services.size).toBe(0);
  });
});

/** What is alive after a collection. */
function count(): { readonly snapshots: number; readonly services: number } {
  return {
    snapshots: queryObjects(SnapshotLease, { format: 'count' }),
    services: queryObjects(Service, { format: 'count' }),
  };
}
