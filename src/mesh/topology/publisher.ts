/** Tells the other nodes every few seconds which services this one calls, and how that goes. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane } from '../backplane/backplane.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { GOODBYE_MS, heartbeatDelayMs } from '../backplane/timing.ts';
import type { EdgeCounts, TopologyRecorder } from './recorder.ts';
import { TOPOLOGY_SPACE, toReportValue } from './report.ts';

export interface TopologyPublisherOptions {
  readonly backplane: Backplane;
  /** Of this node alone, among all that share the backplane. */
  readonly nodeId: string;
  /** Who it is that calls: the service beside this node, or `gateway`. */
  readonly source: string;
  readonly recorder: Pick<TopologyRecorder, 'take'>;
  readonly monotonic: () => number;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

export interface TopologyPublisher {
  /** Counts from now on, and publishes what it counted every 5 s. */
  start(): void;
  /** Tells that this node calls nobody any more, if the store can be asked. */
  stop(): Promise<void>;
}

/** Two intervals and their jitter: one report may get lost, and a node that died is soon forgotten. */
const REPORT_MS = 12_500;
/** Reports in which an edge is named after its last call, lest it come and go in the picture: a minute. */
const IDLE_REPORTS = 12;

/** A window that could not be told of is lost: an average over an outage would be nobody's rate. */
export function createTopologyPublisher(options: TopologyPublisherOptions): TopologyPublisher {
  const { backplane, nodeId, source, recorder, monotonic, random, log } = options;
  const { schedule = scheduleTimer } = options;
  /** Reports until an edge without calls is forgotten. */
  const idle = new Map<string, number>();
  let sinceMs = 0;
  let callOff = (): void => {};
  let telling: Promise<void> | undefined;
  let isStopped = false;

  function withIdle(edges: readonly EdgeCounts[]): readonly EdgeCounts[] {
    const quiet: EdgeCounts[] = [];
    for (const { destination } of edges) idle.set(destination, IDLE_REPORTS + 1);
    for (const [destination, left] of idle) {
      if (left === 0) idle.delete(destination);
      else idle.set(destination, left - 1);
      if (left > 0 && left <= IDLE_REPORTS) {
        quiet.push({ destination, calls: 0, errors: 0, buckets: [] });
      }
    }
    return [...edges, ...quiet];
  }

  async function tell(): Promise<void> {
    const nowMs = monotonic();
    const windowMs = Math.max(1, Math.round(nowMs - sinceMs));
    sinceMs = nowMs;
    const value = toReportValue({ source, windowMs, edges: withIdle(recorder.take()) });
    telling = backplane.report(TOPOLOGY_SPACE, nodeId, value, REPORT_MS).catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'the edges of this node could not be told');
    });
    await telling;
    if (!isStopped) plan();
  }

  function plan(): void {
    callOff = schedule(heartbeatDelayMs(random), () => void tell());
  }

  return {
    start() {
      sinceMs = monotonic();
      recorder.take();
      plan();
    },
    async stop() {
      isStopped = true;
      callOff();
      await telling;
      await backplane.report(TOPOLOGY_SPACE, nodeId, null, GOODBYE_MS).catch(() => undefined);
    },
  };
}
