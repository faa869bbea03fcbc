/** Four workers of one node: what they admit together, how often they ask, and what they do when nobody answers. */
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ask, Grant, LimitWindow } from '../../../../src/mesh/limits/limit-windows.ts';
import { MemoryWindows } from '../../../../src/mesh/limits/memory-windows.ts';
import type { LimiterOptions } from '../../../../src/plugins/sdk/plugin-context.ts';
import { startLimitedWorkers, type LimitedWorker } from './worker-limits.ts';

const WORKERS = 4;
const WINDOW_MS = 600_000;

/** A supervisor that can be held up, and lose its connection to whoever counts. */
class Windows extends MemoryWindows {
  override isConnected = true;
  isHung = false;
  failure: Error | undefined;
  asked = 0;
  readonly #listeners = new Set<() => void>();
  readonly #hung: (() => void)[] = [];

  override onConnection(listener?: () => void): () => void {
    this.#listeners.add(listener!);
    return () => this.#listeners.delete(listener!);
  }

  connect(isConnected: boolean): void {
    this.isConnected = isConnected;
    for (const listener of this.#listeners) listener();
  }

  override async ask(window: LimitWindow, ask: Ask): Promise<Grant> {
    this.asked++;
    if (this.failure !== undefined) throw this.failure;
    if (this.isHung) await new Promise<void>((resolve) => this.#hung.push(resolve));
    return super.ask(window, ask);
  }

  goOn(): void {
    this.isHung = false;
    for (const resolve of this.#hung.splice(0)) resolve();
  }
}

let nowMs: number;
let windows: Windows;
let workers: LimitedWorker[];

async function start(answerWithinMs = 10_000): Promise<void> {
  nowMs = 1_000;
  windows = new Windows({ monotonic: () => nowMs });
  // Each worker's clock has a beginning of its own.
  const monotonic = (worker: number): number => nowMs + worker * 86_400_000;
  workers = await startLimitedWorkers({ windows, workers: WORKERS, monotonic, answerWithinMs });
}

beforeEach(() => start());
afterEach(() => {
  for (const worker of workers) worker.die();
});

function limitOf(points: number, more: Partial<LimiterOptions> = {}): LimiterOptions {
  return { name: randomUUID(), points, windowMs: WINDOW_MS, ...more };
}

/** How many of each worker's requests were admitted; all work at the same time. */
async function press(limit: LimiterOptions, perWorker: number, atOnce: number): Promise<number[]> {
  const admitted = workers.map(() => 0);
  await Promise.all(
    workers.map(async ({ counters }, worker) => {
      const limiter = counters.limiter(limit);
      let sent = 0;
      const client = async (): Promise<void> => {
        while (sent++ < perWorker) {
          const { allowed, fallback } = await limiter.consume('caller');
          expect(fallback).toBeUndefined();
          if (allowed) admitted[worker]!++;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, client));
    }),
  );
  return admitted;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const asks = (): number => sum(workers.map(({ counters }) => counters.asks));

describe('limits of four workers without Redis', () => {
  it('admit exactly the limit in a window where each request asks', async () => {
    const limit = limitOf(300, { mode: 'exact' });
    expect(sum(await press(limit, 150, 8))).toBe(300);
    nowMs += WINDOW_MS;
    expect(sum(await press(limit, 150, 8))).toBe(300);
  });

  it('never admit more than the limit from batches, and ask less than once in 20 requests', async () => {
    const limit = limitOf(4_000);
    const total = sum(await press(limit, 2_000, 8));
    expect(total).toBeLessThanOrEqual(4_000);
    expect(total).toBeGreaterThan(4_000 * 0.9);
    expect(asks()).toBeLessThanOrEqual((WORKERS * 2_000) / 20);
    nowMs += WINDOW_MS;
    expect(sum(await press(limit, 2_000, 8))).toBeLessThanOrEqual(4_000);
  });

  it('give every point of a small limit out, and not one more', async () => {
    for (const points of [1, 5, 12]) expect(sum(await press(limitOf(points), 20, 5))).toBe(points);
  });

  it('charge what a worker that died had in hand, and nothing twice', async () => {
    const limit = limitOf(1_000);
    const before = sum(await press(limit, 100, 4));
    workers[0]!.die();
    workers.shift();
    const after = sum(await press(limit, 400, 4));
    expect(before + after).toBeLessThanOrEqual(1_000);
    expect(before + after).toBeGreaterThan(1_000 - 100);
  });

  it('send what is asked in one turn of the loop as one message, and answer it as one', async () => {
    const { counters, pair } = workers[0]!;
    const limiter = counters.limiter(limitOf(10, { mode: 'exact' }));
    const before = { ...pair.sent };
    await Promise.all(Array.from({ length: 100 }, async (_, i) => limiter.consume(String(i))));
    expect(pair.sent.worker - before.worker).toBe(1);
    expect(pair.sent.supervisor - before.supervisor).toBe(1);
  });
});

describe('limits of workers whose supervisor', () => {
  it('cannot ask Redis go by their fallback at once, and count together again when it can', async () => {
    const { counters } = workers[0]!;
    const limiter = counters.limiter(limitOf(40, { onUnavailable: 'local' }));
    windows.failure = new Error('Connection is closed.');
    windows.connect(false);
    await untilIt(async () => (await limiter.consume(randomUUID())).fallback === 'local');
    const before = windows.asked;
    const verdicts = Array.from({ length: 15 }, async () => limiter.consume('caller'));
    // This worker's share: of 40 points a quarter.
    const settled = await Promise.all(verdicts);
    expect(settled.filter(({ allowed }) => allowed)).toHaveLength(10);
    expect(windows.asked).toBe(before);
    windows.failure = undefined;
    windows.connect(true);
    await untilIt(async () => (await limiter.consume(randomUUID())).fallback === undefined);
  });

  it('does not answer in time wait once, and spend later what was drawn too late', async () => {
    for (const worker of workers) worker.die();
    await start(20);
    const { counters } = workers[0]!;
    const limiter = counters.limiter(limitOf(5, { onUnavailable: 'closed' }));
    windows.isHung = true;
    const late = await limiter.consume('caller');
    expect(late).toMatchObject({ allowed: false, fallback: 'closed' });
    expect(limiter.consume('caller')).toMatchObject({ fallback: 'closed' });
    windows.goOn();
    await untilIt(async () => (await limiter.consume(randomUUID())).fallback === undefined);
    const verdicts = [];
    for (let i = 0; i < 6; i++) verdicts.push(await limiter.consume('caller'));
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false]);
  });

  it('is gone are decided by the fallback, and nothing waits for ever', async () => {
    for (const worker of workers) worker.die();
    await start(20);
    const { counters, pair } = workers[0]!;
    const limiter = counters.limiter(limitOf(5, { mode: 'exact', onUnavailable: 'open' }));
    pair.cut();
    expect(await limiter.consume('caller')).toMatchObject({ allowed: true, fallback: 'open' });
  });
});

async function untilIt(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTurn();
}
