/** The workers of this node: processes of the program that serve, and what they share with this one. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Registry } from 'prom-client';
import { toHead } from '../gateway/config/config-pieces.ts';
import type { Config } from '../gateway/config/config.ts';
import type { NumberedConfig, PreparedListeners } from '../gateway/config/snapshot-slot.ts';
import type { ListenerSetOptions } from '../gateway/listener/listener-set.ts';
import type { WorkersReport } from '../gateway/status/readiness.ts';
import { publish } from '../gateway/observe/published-metric.ts';
import type { Tap } from '../gateway/observe/tap.ts';
import type { MetricsPage } from '../gateway/status/status-server.ts';
import {
  createServiceAuthority,
  type ServiceAuthority,
} from '../gateway/worker/endpoints/service-authority.ts';
import { goneNames } from '../gateway/worker/metrics/departed.ts';
import {
  createMetricsCollector,
  type MetricsCollector,
} from '../gateway/worker/metrics/metrics-collector.ts';
import { TOPICS } from '../gateway/worker/messages.ts';
import { createNodeTap } from '../gateway/worker/tap/node-tap.ts';
import type { EdgeNews } from '../gateway/worker/topology/edge-messages.ts';
import { createFrontListener } from '../gateway/worker/front-listener.ts';
import { HandOff } from '../gateway/worker/hand-off.ts';
import { Worker } from '../gateway/worker/worker.ts';
import { WorkerSet } from '../gateway/worker/worker-set.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import type { Mesh } from './mesh.ts';
import type { SnapshotFactory } from './snapshot-factory.ts';

/** Of this process, for whom its workers count and ask. */
export interface WorkersParts {
  readonly registry: Registry;
  readonly mesh: Pick<Mesh, 'limits' | 'topology'>;
  readonly snapshots: Pick<SnapshotFactory, 'holdUndeclared'>;
}

export interface WorkersOptions {
  /** Asked when first needed. */
  readonly parts: () => WorkersParts;
  readonly config: Config;
  readonly configFile: string;
  readonly nodeName: string;
  readonly count: number;
  readonly stickyKey: () => Uint8Array;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface Workers extends Pick<WorkerSet, 'started' | 'stopping' | 'roll' | 'reopen'> {
  /** By which workers know the services of this process. */
  readonly authority: ServiceAuthority;
  /** Of all workers. */
  readonly tap: Tap;
  /** Of this process and all workers. */
  readonly metrics: () => MetricsPage;
  /** Another configuration is in force. */
  applied(before: Config, after: Config): void;
  /** Once all is drained. */
  stop(): Promise<void>;
  /** In this process a listener only gives connections away. */
  readonly createListener: ListenerSetOptions['create'];
  /** `opened`: the same configuration's listeners in this process. What is returned is for both. */
  prepare(next: NumberedConfig, opened: PreparedListeners): Promise<PreparedListeners>;
  report(): WorkersReport;
}

/** Of a TLS server: see `tls.Server.setTicketKeys`. */
const TICKET_KEY_BYTES = 48;

/** `.js` in the package. */
const ENTRY = fileURLToPath(
  new URL(`./worker-process${extname(import.meta.url)}`, import.meta.url),
);

/** 1: this process serves. */
export function toWorkerCount(workers: Config['node']['workers']): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

export function createWorkers(options: WorkersOptions): Workers {
  const { config, configFile, nodeName, count, stickyKey, clock, random, log } = options;
  const handOff = new HandOff();
  const start = {
    config: toHead(config),
    configFile,
    nodeName,
    workers: count,
    ticketKeys: randomBytes(TICKET_KEY_BYTES),
  };
  const monotonic = (): number => clock.monotonic();
  const authority = createServiceAuthority({
    monotonic,
    holdUndeclared: (name) => options.parts().snapshots.holdUndeclared(name),
  });
  const tap = createNodeTap({ monotonic });
  let restarts = 0;
  let collector: MetricsCollector | undefined;
  const collect = (): MetricsCollector => (collector ??= startCollector());
  const ends = new Map<Worker, readonly (() => void)[]>();

  function startCollector(): MetricsCollector {
    const { registry } = options.parts();
    publish(registry, {
      name: 'meshgate_worker_restarts_total',
      help: 'Workers that ended, told by nobody, and were replaced.',
      type: 'counter',
      samples: () => [{ labels: {}, value: restarts }],
    });
    const made = createMetricsCollector({ registry, monotonic, log });
    made.start();
    return made;
  }

  function attach(worker: Worker): void {
    const { channel } = worker;
    const { limits, topology } = options.parts().mesh;
    ends.set(worker, [
      authority.join(channel.link(TOPICS.endpoints)),
      limits.attach(channel.link(TOPICS.limits)),
      collect().attach(channel.link(TOPICS.metrics)),
      tap.attach(channel.link(TOPICS.tap)),
    ]);
    channel.link<never, EdgeNews>(TOPICS.topology).receive((edges) => topology.add(edges));
  }

  function detach(worker: Worker): void {
    for (const end of ends.get(worker) ?? []) end();
    ends.delete(worker);
  }

  const set: WorkerSet = new WorkerSet({
    wanted: count,
    spawn(events) {
      // The same arguments for all: what Node's TLS takes a session to belong to is made of them.
      const child = fork(ENTRY, [], { serialization: 'advanced' });
      const worker = new Worker(child, { ...start, stickyKey: stickyKey() }, events);
      attach(worker);
      return worker;
    },
    onGone: detach,
    onRestart: () => restarts++,
    handOff,
    monotonic,
    random,
    log,
  });
  // Told to end at once: without it they would drain first.
  const killAll = (): void => set.kill();
  process.on('exit', killAll);
  return {
    authority,
    tap,
    metrics: collect,
    applied: (before, after) => collect().forget(goneNames(before, after)),
    createListener: (key, listener, certificates) =>
      createFrontListener(key, listener, {
        handOff,
        drainWorkers: (one) => set.drain(one),
        certificates,
        clock,
        log,
      }),
    async prepare(next, opened) {
      try {
        const prepared = await set.prepare(next);
        return {
          // First: what a listener of this process gives away then, they can take.
          commit() {
            prepared.commit();
            opened.commit();
          },
          async rollback() {
            await Promise.all([prepared.rollback(), opened.rollback()]);
          },
        };
      } catch (error) {
        await opened.rollback();
        throw error;
      }
    },
    report: () => ({ wanted: set.wanted, ready: set.ready, restarts }),
    started: () => set.started(),
    stopping: () => set.stopping(),
    async stop() {
      await set.stop();
      process.off('exit', killAll);
      collector?.stop();
    },
    roll: () => set.roll(),
    reopen: () => set.reopen(),
  };
}
