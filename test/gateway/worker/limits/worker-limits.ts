/** Workers of one node, each with counters of its own, on the windows of one supervisor. */
import { createLimitDesk } from '../../../../src/gateway/worker/limits/limit-desk.ts';
import type {
  AnswerBatch,
  AskBatch,
} from '../../../../src/gateway/worker/limits/limit-messages.ts';
import { LinkedWindows } from '../../../../src/gateway/worker/limits/linked-windows.ts';
import type { LimitWindows } from '../../../../src/mesh/limits/limit-windows.ts';
import {
  createSharedCounters,
  type SharedCounters,
} from '../../../../src/mesh/limits/shared-counters.ts';
import type { Log } from '../../../../src/plugins/sdk/plugin-context.ts';
import { linkPair, type LinkPair } from '../link-pair.ts';

export interface LimitedWorker {
  readonly windows: LinkedWindows;
  readonly counters: SharedCounters;
  readonly pair: LinkPair<AskBatch, AnswerBatch>;
  /** As a process that ends at once. */
  die(): void;
}

const ignore = (): void => {};
const log: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

export interface WorkersOptions {
  readonly windows: LimitWindows;
  readonly workers: number;
  readonly monotonic?: (worker: number) => number;
  readonly answerWithinMs?: number;
}

export async function startLimitedWorkers(options: WorkersOptions): Promise<LimitedWorker[]> {
  const {
    windows,
    workers,
    monotonic = () => performance.now(),
    answerWithinMs = 10_000,
  } = options;
  const desk = createLimitDesk({ windows, sharers: () => workers });
  const started = Array.from({ length: workers }, (_, worker): LimitedWorker => {
    const pair = linkPair<AskBatch, AnswerBatch>();
    const detach = desk.attach(pair.supervisor);
    const linked = new LinkedWindows({ link: pair.worker, lanes: windows.lanes });
    const counters = createSharedCounters({
      windows: linked,
      clock: { monotonic: () => monotonic(worker) },
      random: Math.random,
      log,
      liveNodes: () => linked.sharers,
      answerWithinMs,
    });
    return {
      windows: linked,
      counters,
      pair,
      die() {
        pair.cut();
        detach();
        counters.close();
      },
    };
  });
  await Promise.all(started.map(({ windows: one }) => untilConnected(one)));
  return started;
}

/** And until it has been tried: the limits of the counters go by it. */
async function untilConnected(windows: LinkedWindows): Promise<void> {
  if (!windows.isConnected) {
    await new Promise<void>((resolve) => {
      windows.onConnection(resolve);
    });
  }
  await windows.ask(
    { lane: 0, limiter: 'probe', key: '', windowMs: 1_000 },
    { wanted: 1, least: 1, limit: 1_000 },
  );
}
