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
async function walk(seed: number): Promise<readonly string[]> {
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

  const faults: string[] = [];
  function hold(isTrue: boolean, what: string): void {
    if (!isTrue) faults.push(what);
  }

  function look(): void {
    const { endpoints, places } = service.active;
    const underWay = endpoints.reduce((sum, active) => sum + active, 0);
    const live = service.sent.filter((one) => one.isLive).length;
    const isOver = isGivenUp || sink.isOver;
    hold(underWay >= live, 'every live try counts at its endpoint');
    hold(places === (isOver ? 0 : Math.max(1, underWay)), 'places are those of the tries');
    hold(!isOver || underWay + live === 0, 'nothing is left of a call that is over');
    hold(places <= service.host.breaker.thresholds.maxRequests, 'maxRequests holds');
    hold(service.deposits === 1, 'one deposit');
    hold(service.ends === (isOver ? 1 : 0), 'counted once, when it is over');
    const bought = service.retries.filter((reason) => reason !== 'keep-alive-race');
    const isHedge = (reason: string): boolean => reason === 'hedge';
    hold(service.withdrawals === bought.length, 'every retry and hedge is paid for');
    hold(bought.filter(isHedge).length <= hedges, 'no more hedges than the rules allow');
    hold(bought.length <= attempts + hedges, 'no more tries than the rules allow');
    hold(Math.max(...endpoints) <= 1, 'no two tries at once at one endpoint');
    if (!sink.calls.includes('head')) return;
    hold(live <= 1, 'the others are cancelled once one has answered');
    hold(sink.endpoint === winner!.endpoint, 'the endpoint told is the one that answers');
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
  const { calls } = sink;
  const ends = calls.filter((one) => one === 'end' || one === 'error');
  hold(service.leftovers.length === 0, 'nothing counted, no timer');
  hold(ends.length === (isGivenUp ? 0 : 1), 'one end, or none where the call is given up');
  hold(isGivenUp || calls.at(-1) === ends[0], 'nothing after the end');
  hold(calls.filter((one) => one === 'head').length <= 1, 'one head');
  hold(
    calls.lastIndexOf('informational') <= calls.indexOf('head') || !calls.includes('head'),
    'no 1xx after it',
  );
  hold(!calls.includes('data') || calls.indexOf('head') < calls.indexOf('data'), 'head, then data');
  hold(sink.text.replaceAll(winner?.endpoint.id ?? '', '') === '', 'not a byte of a loser');
  tally.hedged += service.retries.includes('hedge') ? 1 : 0;
  tally.answered += calls.includes('end') ? 1 : 0;
  tally.failed += calls.includes('error') ? 1 : 0;
  return faults;
}

const tally = { hedged: 0, answered: 0, failed: 0 };

describe('whatever happens to a hedged call, in whatever order', () => {
  it('ends once, pays for what it takes, and leaves nothing counted', async () => {
    const faults: string[] = [];
    for (let seed = 1; seed <= 1000; seed++) {
      for (const fault of await walk(seed)) faults.push(`walk ${seed}: ${fault}`);
    }
    expect(faults).toEqual([]);
    // The walks have been everywhere.
    expect(tally.hedged).toBeGreaterThan(100);
    expect(tally.answered).toBeGreaterThan(100);
    expect(tally.failed).toBeGreaterThan(50);
  });
});
