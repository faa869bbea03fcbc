/** Composition root of a worker: a data plane whose control plane is the supervisor. */
import { readDescriptorLimit } from './descriptor-limit.ts';
import { createProcessLog } from '../cli/process-log.ts';
import type { Config } from '../gateway/config/config.ts';
import { GatheredConfig } from '../gateway/config/config-pieces.ts';
import { Channel, type Port } from '../gateway/worker/channel.ts';
import { takeUpDuty, type ServingPlane } from '../gateway/worker/duty.ts';
import { createFollowedServices } from '../gateway/worker/endpoints/followed-services.ts';
import { createWorkerCounters } from '../gateway/worker/limits/worker-counters.ts';
import { TOPICS, type WorkerStart } from '../gateway/worker/messages.ts';
import { createMetricsTeller } from '../gateway/worker/metrics/metrics-teller.ts';
import { createWorkerTap } from '../gateway/worker/tap/worker-tap.ts';
import { createEdgeTeller } from '../gateway/worker/topology/edge-teller.ts';
import type { TakenSockets } from '../gateway/worker/taken-sockets.ts';
import { eventNowMs } from '../mesh/transport/event-time.ts';
import { createTopologyRecorder } from '../mesh/topology/recorder.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { createDataPlane, type ControlPlane, type DataPlane } from './data-plane.ts';

const clock: Clock = { now: Date.now, monotonic: eventNowMs };

/** Serves until the supervisor says otherwise, or is gone. */
export function runWorker(parent: NodeJS.Process): void {
  const log = createProcessLog().child({ worker: process.pid });
  const channel = new Channel(parent as Port);
  let plane: DataPlane | undefined;
  const duty = takeUpDuty({
    channel,
    createPlane(start, sockets) {
      const made = createWorkerPlane(start, sockets, channel, log);
      ({ plane } = made);
      return made.serving;
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

function createWorkerPlane(
  start: WorkerStart,
  sockets: TakenSockets,
  channel: Channel,
  log: Log,
): { readonly plane: DataPlane; readonly serving: ServingPlane } {
  const { configFile, nodeName, workers, stickyKey } = start;
  const ticketKeys = Buffer.from(start.ticketKeys);
  const config: Config = new GatheredConfig().complete(start.config);
  const monotonic = (): number => clock.monotonic();
  const random = Math.random;
  const counters = createWorkerCounters({
    link: channel.link(TOPICS.limits),
    backplane: config.backplane,
    clock,
    random,
    log,
  });
  const followed = createFollowedServices({ link: channel.link(TOPICS.endpoints), monotonic });
  const topology = createTopologyRecorder();
  const edges = createEdgeTeller({ recorder: topology, link: channel.link(TOPICS.topology) });
  const plane = createDataPlane({
    config,
    configFile,
    nodeName,
    workers,
    listenerDeps: (key) => ({ acceptor: sockets.acceptor(key), ticketKeys }),
    follow: (service, isUndeclared) => followed.follow(service, isUndeclared),
    openFiles: readDescriptorLimit(),
    control: () => ({ ...ELSEWHERE, stickyKey: () => stickyKey, counters, topology }),
    clock,
    random,
    log: toQuiet(log),
  });
  const { observability } = plane;
  const { registry } = observability;
  const teller = createMetricsTeller({ registry, link: channel.link(TOPICS.metrics), log });
  createWorkerTap({ tap: plane.tap, link: channel.link(TOPICS.tap) });
  const serving: ServingPlane = {
    slot: plane.slot,
    listeners: plane.listeners,
    discovered: () => followed.answered(),
    applied: (next) => plane.applied(next),
    start() {
      plane.start();
      followed.start();
      edges.start();
    },
    ready: () => plane.guard(),
    closeTunnels: () => plane.closeTunnels(),
    reopenLogs: () => observability.reopen(),
    async stop() {
      await plane.stop();
      counters.close();
      followed.flush();
      followed.stop();
      edges.stop();
      await teller.tellLast();
    },
  };
  return { plane, serving };
}

/** The supervisor has it, and tells what comes of it. */
const ELSEWHERE: Omit<ControlPlane, 'stickyKey' | 'counters' | 'topology'> = {
  meshSource: () => {
    throw new Error('a worker follows services, and discovers none');
  },
  isOwnCheck: () => false,
  metrics: {
    backplane: () => ({ connected: true, sinceMs: 0, stalenessMs: 0 }),
    versions: () => ({ version: 0, refused: undefined }),
    droppedAuditEntries: () => 0,
  },
};

/** What happens to all workers alike the supervisor says once. */
function toQuiet(log: Log): Log {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.debug(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}
