import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TryHead } from '../../../src/mesh/service/call.ts';
import type { UpstreamFailure } from '../../../src/mesh/transport/upstream-error.ts';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { seeded } from '../balancing/endpoints.ts';
import { ScriptedService, type ScriptedTry } from './scripted-service.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const HEAD: TryHead = { target: '/', authority: 'orders.test', headers: [] };
const STATUSES = [200, 200, 200, 404, 500, 503];
const FAILURES: readonly UpstreamFailure[] = [
  'connect',
  'reset',
  'timeout',
  'protocol',
  'refused-stream',
  'overflow',
];

/** One call, and whatever can happen to it in any order; what must hold is looked at after every step. */
async function walk(seed: number): Promise<void> {
  const random = seeded(seed);
  const draw = (n: number): number => Math.floor(random() * n);
  const attempts = draw(3);
  const hedges = 1 + draw(3);
  const service = new ScriptedService({
    endpoints: 1 + draw(5),
    hedge: { attempts: hedges },
    retry: { attempts, on: ['connect-failure', 'reset', 'timeout', 503] },
    minPerSecond: draw(8) === 0 ? 0 : 10,
    maxRequests: 1 + draw(8),
    random,
  });
  const pending: PromiseWithResolvers<TryHead>[] = [];
  const { call, sink } = service.call({
    method: ['GET', 'GET', 'PUT', 'PUT', 'POST'][draw(5)]!,
    body: [undefined, undefined, readyBody('body'), new ManualBody()][draw(4)],
    perTryTimeoutMs: [0, 150, 600][draw(3)]!,
    timeoutMs: [0, 700][draw(2)]!,
    toTry: () => {
      const lot = draw(12);
      if (lot === 0) throw new Error('cannot be made');
      if (lot > 3) return HEAD;
      const head = Promise.withResolvers<TryHead>();
      pending.push(head);
      return head.promise;
    },
  });
  let isGivenUp = false;
  let winner: ScriptedTry | undefined;

  function look(): void {
    const { endpoints, places } = service.active;
    const underWay = endpoints.reduce((sum, active) => sum + active, 0);
    const live = service.sent.filter((one) => one.isLive).length;
    expect(underWay).toBeGreaterThanOrEqual(live);
    if (isGivenUp || sink.isOver) expect([underWay, places, live]).toEqual([0, 0, 0]);
    else expect(places).toBe(Math.max(1, underWay));
    expect(places).toBeLessThanOrEqual(service.host.breaker.thresholds.maxRequests);
    expect(service.deposits).toBe(1);
    const bought = service.retries.filter((reason) => reason !== 'keep-alive-race');
    expect(service.withdrawals).toBe(bought.length);
    expect(bought.filter((reason) => reason === 'hedge').length).toBeLessThanOrEqual(hedges);
    expect(bought.length).toBeLessThanOrEqual(attempts + hedges);
    // Two tries at once are never at one endpoint.
    expect(Math.max(...endpoints)).toBeLessThanOrEqual(1);
    if (sink.calls.includes('head')) {
      expect(live).toBeLessThanOrEqual(1);
      expect(sink.endpoint).toBe(winner!.endpoint);
    }
  }

  function play(one: ScriptedTry): void {
    // The transport starts a body once it is connected.
    if (draw(2) === 0 && one.request.body !== undefined && !started.has(one)) {
      started.add(one);
      one.request.body.start({ onData() {}, onEnd() {}, onError() {} });
      return;
    }
    const lot = draw(8);
    if (one.isAnswered) {
      if (lot < 4) one.pushes(one.endpoint.id);
      else if (lot < 7) one.ends();
      else one.fails('reset');
    } else if (lot === 0) one.informs();
    else if (lot < 5) {
      const before = sink.calls.includes('head');
      one.answers(STATUSES[draw(STATUSES.length)]);
      if (!before && sink.calls.includes('head')) winner = one;
    } else if (lot < 7) one.fails(FAILURES[draw(FAILURES.length)]!, { reused: draw(3) === 0 });
  }

  const started = new Set<ScriptedTry>();
  look();
  for (let step = 0; step < 400 && !sink.isOver && !isGivenUp; step++) {
    const live = service.sent.filter((one) => one.isLive);
    const lot = draw(20);
    if (lot < 4 && live.length > 0) play(live[draw(live.length)]!);
    else if (lot < 16) await vi.advanceTimersByTimeAsync(draw(120));
    else if (lot === 16) {
      if (draw(3) === 0) call.pause();
    } else if (lot === 17) call.resume();
    else if (lot === 18 && pending.length > 0) {
      const [head] = pending.splice(draw(pending.length), 1);
      if (draw(4) === 0) head!.reject(new Error('cannot be made'));
      else head!.resolve(HEAD);
      await vi.advanceTimersByTimeAsync(0);
    } else if (lot === 19 && draw(5) === 0) {
      isGivenUp = true;
      call.abort();
    }
    look();
  }
  if (!sink.isOver && !isGivenUp) {
    isGivenUp = true;
    call.abort();
  }
  // Heads that come too late.
  for (const head of pending) head.resolve(HEAD);
  await vi.advanceTimersByTimeAsync(60_000);
  look();
  expect(service.leftovers).toEqual([]);

  const { calls } = sink;
  const ends = calls.filter((one) => one === 'end' || one === 'error');
  expect(ends).toHaveLength(isGivenUp ? 0 : 1);
  if (ends.length > 0) expect(calls.at(-1)).toBe(ends[0]);
  expect(calls.filter((one) => one === 'head').length).toBeLessThanOrEqual(1);
  if (calls.includes('data')) expect(calls.indexOf('data')).toBeGreaterThan(calls.indexOf('head'));
  // Not a byte of a loser.
  expect(sink.text.replaceAll(winner?.endpoint.id ?? '', '')).toBe('');
  tally.hedged += service.retries.includes('hedge') ? 1 : 0;
  tally.answered += calls.includes('end') ? 1 : 0;
  tally.failed += calls.includes('error') ? 1 : 0;
}

const tally = { hedged: 0, answered: 0, failed: 0 };

describe('whatever happens to a hedged call, in whatever order', () => {
  it('ends once, pays for what it takes, and leaves nothing counted', async () => {
    for (let seed = 1; seed <= 1000; seed++) {
      try {
        await walk(seed);
      } catch (error) {
        throw new Error(`walk ${seed}`, { cause: error });
      }
    }
    // The walks have been everywhere.
    expect(tally.hedged).toBeGreaterThan(100);
    expect(tally.answered).toBeGreaterThan(100);
    expect(tally.failed).toBeGreaterThan(50);
  });
});
