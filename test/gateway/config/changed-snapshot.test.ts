/** A snapshot that is made from the one before serves as one that is made from nothing, and holds the same. */
import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileSnapshot,
  type CompileDependencies,
  type CompiledSnapshot,
} from '../../../src/gateway/config/compile.ts';
import { GatheredConfig, toHead, toPieces } from '../../../src/gateway/config/config-pieces.ts';
import type { Config } from '../../../src/gateway/config/config.ts';
import { createService } from '../../../src/gateway/config/create-service.ts';
import { KeyedPool } from '../../../src/gateway/config/keyed-pool.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { createUndeclaredServices } from '../../../src/gateway/config/mesh-service.ts';
import type { CompiledTarget } from '../../../src/gateway/config/snapshot.ts';
import type { PluginInstance } from '../../../src/gateway/pipeline/hooks.ts';
import { createStaticSource } from '../../../src/mesh/discovery/static.ts';
import type { Service } from '../../../src/mesh/service/service.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { generatedRuns, GENERATED_SEED } from '../../generated-runs.ts';
import { request } from '../routing/routing-fixture.ts';
import { changingDocuments, type ChangingDocument } from './changing-document.ts';

function ignore(): void {}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** What snapshots share, and who is counted in it. */
class Surroundings {
  readonly services = new KeyedPool<Service>((service) => void service.stop());
  readonly plugins = new KeyedPool<PluginInstance>((instance) => instance.release());
  readonly cells = new Map<string, number>();
  readonly dependencies: CompileDependencies;

  constructor() {
    this.dependencies = {
      services: this.services,
      plugins: this.plugins,
      createService: (config) =>
        createService(config, {
          environment: {
            ...CLOCK,
            random: Math.random,
            zone: undefined,
            onRetry: ignore,
            onEjection: ignore,
            onHealthEvent: ignore,
          },
          log: SILENT,
          stickyKey: () => Buffer.alloc(32),
          meshSource: () => createStaticSource([]),
        }),
      createPlugin: ({ name }, scope) => toInstance(`${name} ${scope}`),
      cellsOf: (route) => this.#hold(route),
      undeclared: createUndeclaredServices(),
      onDemand: { find: () => undefined },
      pause: () => Promise.resolve(),
      monotonic: CLOCK.monotonic,
    };
  }

  compile(
    config: Config,
    revision: number,
    previous?: CompiledSnapshot,
  ): Promise<CompiledSnapshot> {
    const identity = { revision, hash: String(revision) };
    return compileSnapshot(config, identity, this.dependencies, previous);
  }

  get held(): unknown {
    return {
      services: this.services.size,
      plugins: this.plugins.size,
      cells: Object.fromEntries([...this.cells].filter(([, count]) => count > 0).toSorted(byName)),
    };
  }

  #hold(route: string): ReturnType<CompileDependencies['cellsOf']> {
    const count = (by: number): void =>
      void this.cells.set(route, (this.cells.get(route) ?? 0) + by);
    count(1);
    let isHeld = true;
    return {
      record: ignore,
      rateLimited: ignore,
      release() {
        if (!isHeld) throw new Error(`the cells of ${route} are released twice`);
        isHeld = false;
        count(-1);
      },
    };
  }
}

function toInstance(name: string): PluginInstance {
  let isOpen = true;
  return {
    name,
    stage: 'edge',
    onError: 'closed',
    deadlineMs: 1,
    buffersBody: false,
    answersPreflight: false,
    hooks: { onRequest: () => undefined },
    release() {
      if (!isOpen) throw new Error(`${name} is closed twice`);
      isOpen = false;
    },
  };
}

const REQUESTS = ['/', '/a', '/a/b', '/a/c', '/b', '/c/d', '/x1', '/f/1'].flatMap((path) =>
  ['x.test', 'y.test', 'z.w.test', 'other'].flatMap((host) =>
    ['GET', 'POST'].map((method) => request({ path, host, method, headers: ['x-a', '1'] })),
  ),
);

/** All that a caller could notice, and what explains it. */
function seenOf({ listeners, consumers, services }: CompiledSnapshot): unknown {
  const matches = [...listeners].flatMap(([name, { table }]) =>
    REQUESTS.map((asked) => {
      const told: string[] = [];
      const match = table.match(asked, {
        won: (...all) => told.push(`won ${all.join(' ')}`),
        lost: (...all) => told.push(`lost ${all.join(' ')}`),
      });
      if (match === undefined) return [name, told];
      const { value, route, index, prefix, namesMethod, regex } = match;
      const { soleTarget, targets, mirrors, hooks, timeoutMs } = value;
      return [
        name,
        told,
        { route, index, prefix, namesMethod, regex: regex !== undefined, own: value.name },
        { timeoutMs, hooks: hooks.onRequest.map((one) => one.name) },
        soleTarget && toShown(soleTarget, services),
        targets?.all.map(({ weight, compiled }) => [weight, toShown(compiled, services)]),
        mirrors.map(({ service, share }) => [service.name, share]),
      ];
    }),
  );
  const keys = ['a', 'b', 'c'].map((digit) => consumers.byApiKeyHash(digit.repeat(64))?.name);
  return { matches, keys, services: [...services.keys()] };
}

function toShown(target: CompiledTarget, services: CompiledSnapshot['services']): unknown {
  const hooks = target.hooks.onRequest.map((one) => one.name);
  const own = target.ownRequestHooks.map((one) => one.name);
  if (target.kind !== 'service') return { kind: target.kind, hooks, own };
  const { service, perTryTimeoutMs, sticky } = target;
  // Not one of a snapshot before.
  const isCurrent = services.get(service.name) === service;
  return {
    service: service.name,
    isCurrent,
    perTryTimeoutMs,
    sticky: sticky !== undefined,
    hooks,
    own,
  };
}

const OWN = {
  meshgate: 1,
  listeners: [
    { name: 'one', address: '127.0.0.1:1' },
    { name: 'two', address: '127.0.0.1:2' },
  ],
};
const ENV = { ADDRESS: '127.0.0.1:5', WAIT: '7s', SECRET: 'pssst-pssst', GROUP: 'g' };

/** With the objects of the configuration before, wherever nothing has changed. */
async function toConfig(
  document: ChangingDocument,
  before: Config | undefined,
): Promise<Config | undefined> {
  const text = JSON.stringify({ ...OWN, ...document });
  const loaded = await loadConfig('/x.yaml', { catalogue: standardPlugins, env: ENV, text });
  if (!loaded.ok) return undefined;
  const known = new Map<string, object>();
  const lists = ['services', 'routes', 'consumers'] as const;
  for (const list of lists) {
    for (const item of before?.[list] ?? []) known.set(`${list}${JSON.stringify(item)}`, item);
  }
  const shared = Object.fromEntries(
    lists.map((list) => {
      const items: readonly object[] = loaded.config[list];
      return [list, items.map((item) => known.get(`${list}${JSON.stringify(item)}`) ?? item)];
    }),
  );
  const config: Config = { ...loaded.config, ...shared };
  const gathered = new GatheredConfig(before);
  for (const piece of toPieces(config, before)) gathered.add(piece);
  return gathered.complete(toHead(config));
}

/** What becomes of a snapshot: it serves, it is not wanted after all, or an exchange stays on it for long. */
const fate = constantFrom('serves', 'serves', 'rolled back', 'kept');

describe('a snapshot that is made from the one before', () => {
  it('serves, explains and holds as one that is made from nothing, and lets go of all in the end', async () => {
    let changed = 0;
    await assert(
      asyncProperty(
        changingDocuments,
        array(fate, { minLength: 13, maxLength: 13 }),
        async (documents, fates) => {
          const surroundings = new Surroundings();
          let current: CompiledSnapshot | undefined;
          let config: Config | undefined;
          const kept: CompiledSnapshot[] = [];
          for (const [revision, document] of documents.entries()) {
            const next = await toConfig(document, config);
            if (next === undefined) continue;
            const anew = new Surroundings();
            const whole = await anew.compile(next, revision);
            const made = await surroundings.compile(next, revision, current);
            expect(seenOf(made)).toEqual(seenOf(whole));
            if (current !== undefined) changed++;
            if (fates[revision] === 'rolled back') made.lease.supersede();
            else {
              if (fates[revision] === 'kept') {
                made.lease.acquire();
                kept.push(made);
              }
              current?.lease.supersede();
              current = made;
              config = next;
            }
            await settled();
            const isAlone = kept.length === 0 && current === made;
            expect(isAlone ? surroundings.held : anew.held).toEqual(anew.held);
            whole.lease.supersede();
            await settled();
            expect(anew.held).toEqual({ services: 0, plugins: 0, cells: {} });
          }
          current?.lease.supersede();
          for (const one of kept) one.lease.release();
          await settled();
          expect(surroundings.held).toEqual({ services: 0, plugins: 0, cells: {} });
        },
      ),
      { numRuns: generatedRuns(40), seed: GENERATED_SEED },
    );
    expect(changed).toBeGreaterThan(100);
  }, 60_000);
});

/** Until what is let go of in turns has been. */
async function settled(): Promise<void> {
  await new Promise(setImmediate);
}
