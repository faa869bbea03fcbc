/** Composition root of a worker: a data plane whose control plane is the supervisor. */
import { readDescriptorLimit } from './descriptor-limit.ts';
import { createProcessLog } from '../cli/process-log.ts';
import type { Config } from '../gateway/config/config.ts';
import { GatheredConfig } from '../gateway/config/config-pieces.ts';
import { Channel, type Port } from '../gateway/worker/channel.ts';
import { takeUpDuty, type ServingPlane } from '../gateway/worker/duty.ts';
import type { WorkerStart } from '../gateway/worker/messages.ts';
import type { TakenSockets } from '../gateway/worker/taken-sockets.ts';
import { createMemoryCounters } from '../mesh/limits/memory-counters.ts';
import { createStaticSource } from '../mesh/discovery/static.ts';
import { createTopologyRecorder } from '../mesh/topology/recorder.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { createDataPlane, type DataPlane } from './data-plane.ts';

const clock: Clock = { now: Date.now, monotonic: () => performance.now() };

/** Serves until the supervisor says otherwise, or is gone. */
export function runWorker(parent: NodeJS.Process): void {
  const log = createProcessLog().child({ worker: process.pid });
  const channel = new Channel(parent as Port);
  let plane: DataPlane | undefined;
  const duty = takeUpDuty({
    channel,
    createPlane(start, sockets) {
      plane = createWorkerPlane(start, sockets, log);
      return toServing(plane);
    },
    exit: (code) => process.exit(code),
  });
  parent.on('disconnect', () => {
    log.warn({}, 'the supervisor is gone: this worker drains, and ends');
    void duty.end(0);
  });
  process.on('unhandledRejection', (reason) => {
    plane?.metrics.rejectionUnhandled();
    log.error({ err: reason }, 'a promise was rejected and nobody handled it');
  });
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'an unexpected error ends this worker');
    void duty.fail();
  });
}

function createWorkerPlane(start: WorkerStart, sockets: TakenSockets, log: Log): DataPlane {
  const { configFile, nodeName, workers, stickyKey } = start;
  const ticketKeys = Buffer.from(start.ticketKeys);
  const config: Config = new GatheredConfig().complete(start.config);
  const counters = createMemoryCounters({ clock });
  const topology = createTopologyRecorder();
  return createDataPlane({
    config,
    configFile,
    nodeName,
    workers,
    listenerDeps: (key) => ({ acceptor: sockets.acceptor(key), ticketKeys }),
    openFiles: readDescriptorLimit(),
    control: () => ({
      stickyKey: () => stickyKey,
      meshSource: () => createStaticSource([]),
      counters,
      topology,
      isOwnCheck: () => true,
      metrics: {
        backplane: () => ({ connected: true, sinceMs: 0, stalenessMs: 0 }),
        versions: () => ({ version: 0, refused: undefined }),
        droppedAuditEntries: () => 0,
      },
    }),
    clock,
    random: Math.random,
    log,
  });
}

function toServing(plane: DataPlane): ServingPlane {
  return {
    slot: plane.slot,
    listeners: plane.listeners,
    applied: (config) => plane.applied(config),
    start() {
      plane.start();
      plane.guard();
    },
    closeTunnels: () => plane.closeTunnels(),
    reopenLogs: () => plane.observability.reopen(),
    stop: () => plane.stop(),
  };
}
