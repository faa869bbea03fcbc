/** How long a worker waits for its supervisor. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLimitDesk } from '../../../../src/gateway/worker/limits/limit-desk.ts';
import type {
  AnswerBatch,
  AskBatch,
} from '../../../../src/gateway/worker/limits/limit-messages.ts';
import {
  createWorkerCounters,
  type WorkerCountersOptions,
} from '../../../../src/gateway/worker/limits/worker-counters.ts';
import { MemoryWindows } from '../../../../src/mesh/limits/memory-windows.ts';
import type { Log } from '../../../../src/plugins/sdk/plugin-context.ts';
import { linkPair } from '../link-pair.ts';

const ignore = (): void => {};
const log: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const monotonic = (): number => performance.now();

/** The supervisor answers by a timer once `lateMs` is set. */
async function startWorker(backplane: Pick<WorkerCountersOptions['backplane'], 'redis'>) {
  const pair = linkPair<AskBatch, AnswerBatch>();
  const supervisor = { lateMs: 0 };
  const desk = createLimitDesk({
    windows: new MemoryWindows({ monotonic }),
    sharers: () => 2,
    defer(run) {
      if (supervisor.lateMs === 0) setImmediate(run);
      else setTimeout(run, supervisor.lateMs).unref();
    },
  });
  desk.attach(pair.supervisor);
  const counters = createWorkerCounters({
    link: pair.worker,
    backplane: { ...backplane, namespace: 'meshgate' },
    clock: { monotonic },
    random: Math.random,
    log,
  });
  onTestFinished(() => counters.close());
  const limit = { name: 'a', points: 3, windowMs: 60_000, onUnavailable: 'closed' } as const;
  const limiter = counters.limiter(limit);
  // The first are before it is known whether the supervisor answers.
  while ((await limiter.consume(`first ${Math.random()}`)).fallback !== undefined) await delay(1);
  return { supervisor, limiter };
}

describe('a worker whose supervisor is busy', () => {
  it('waits for the count where that is of this node alone', async () => {
    const { supervisor, limiter } = await startWorker({ redis: undefined });
    // Longer than a request waits where there is Redis.
    supervisor.lateMs = 60;
    const verdicts = [];
    for (let i = 0; i < 4; i++) verdicts.push(await limiter.consume('caller'));
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(verdicts.filter(({ fallback }) => fallback !== undefined)).toEqual([]);
  });

  it('goes by its fallback after 20 ms where the count is in Redis', async () => {
    const redis = { kind: 'single', url: 'redis://127.0.0.1:6379' };
    const { supervisor, limiter } = await startWorker({
      redis: redis as WorkerCountersOptions['backplane']['redis'],
    });
    supervisor.lateMs = 60_000;
    expect(await limiter.consume('caller')).toMatchObject({ allowed: false, fallback: 'closed' });
  });
});
