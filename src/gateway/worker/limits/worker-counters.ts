/** The counters of a worker: one count for all workers of the node, and with Redis for all nodes. */
import { limitLanes } from '../../../mesh/limits/redis-windows.ts';
import { createSharedCounters, type SharedCounters } from '../../../mesh/limits/shared-counters.ts';
import type { Clock, Log } from '../../../plugins/sdk/plugin-context.ts';
import type { Config } from '../../config/config.ts';
import type { Link } from '../link.ts';
import type { AnswerBatch, AskBatch } from './limit-messages.ts';
import { LinkedWindows } from './linked-windows.ts';

/**
 * Without Redis the limit is this machine's alone, and a supervisor that is late is only busy: to
 * wait for it keeps the count exact, which a fallback would not. With Redis it is 20 ms, as in one
 * process.
 */
const SUPERVISOR_ANSWERS_WITHIN_MS = 1_000;

export interface WorkerCountersOptions {
  readonly link: Link<AskBatch, AnswerBatch>;
  readonly backplane: Config['backplane'];
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
}

export function createWorkerCounters(options: WorkerCountersOptions): SharedCounters {
  const { link, backplane, clock, random, log } = options;
  const { redis } = backplane;
  const windows = new LinkedWindows({ link, lanes: limitLanes(redis?.kind === 'cluster') });
  return createSharedCounters({
    windows,
    clock,
    random,
    log,
    liveNodes: () => windows.sharers,
    answerWithinMs: redis === undefined ? SUPERVISOR_ANSWERS_WITHIN_MS : undefined,
  });
}
