/** The workers of this node: processes of the program that serve, and what they share with this one. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHead } from '../gateway/config/config-pieces.ts';
import type { Config } from '../gateway/config/config.ts';
import type { NumberedConfig, PreparedListeners } from '../gateway/config/snapshot-slot.ts';
import type { ListenerSetOptions } from '../gateway/listener/listener-set.ts';
import type { WorkersReport } from '../gateway/status/readiness.ts';
import { createFrontListener } from '../gateway/worker/front-listener.ts';
import { HandOff } from '../gateway/worker/hand-off.ts';
import { Worker } from '../gateway/worker/worker.ts';
import { WorkerSet } from '../gateway/worker/worker-set.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';

export interface WorkersOptions {
  readonly config: Config;
  readonly configFile: string;
  readonly nodeName: string;
  readonly count: number;
  readonly stickyKey: () => Uint8Array;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export interface Workers extends Pick<
  WorkerSet,
  'started' | 'stopping' | 'stop' | 'roll' | 'reopen'
> {
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
  const ticketKeys = randomBytes(TICKET_KEY_BYTES);
  let restarts = 0;
  const set: WorkerSet = new WorkerSet({
    wanted: count,
    spawn: (events) =>
      // The same arguments for all: what Node's TLS takes a session to belong to is made of them.
      new Worker(
        fork(ENTRY, [], { serialization: 'advanced' }),
        {
          config: toHead(config),
          configFile,
          nodeName,
          workers: count,
          ticketKeys,
          stickyKey: stickyKey(),
        },
        events,
      ),
    onGone: () => undefined,
    onRestart: () => restarts++,
    handOff,
    monotonic: () => clock.monotonic(),
    random,
    log,
  });
  return {
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
    stop: () => set.stop(),
    roll: () => set.roll(),
    reopen: () => set.reopen(),
  };
}
