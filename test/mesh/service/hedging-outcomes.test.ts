import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScriptedService } from './scripted-service.ts';

/** The p95 of 100 ms, as the histogram has it. */
const P95_MS = 108;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function pass(ms: number): void {
  vi.advanceTimersByTime(ms);
}

/** A call whose first try is at `a` and whose hedge is at `b`. */
function hedged(options: ConstructorParameters<typeof ScriptedService>[0] = {}) {
  const service = new ScriptedService(options);
  const made = service.call();
  pass(P95_MS);
  const [first, hedge] = service.sent;
  return { service, ...made, first: first!, hedge: hedge! };
}

describe('of two tries under way', () => {
  it('the hedge wins where it answers first, and the other is cancelled', () => {
    const { service, sink, first, hedge } = hedged();
    hedge.answers();
    expect([first.isAborted, hedge.isAborted]).toEqual([true, false]);
    expect(service.active).toEqual({ endpoints: [0, 1, 0], places: 1 });
    hedge.pushes('ok');
    hedge.ends();
    expect(sink.text).toBe('ok');
    expect(sink.endpoint!.id).toBe('b');
    expect(service.leftovers).toEqual([]);
  });

  it('the first wins where it answers first, which the sink is told of', () => {
    const { service, sink, first, hedge } = hedged();
    first.answers();
    first.ends();
    expect(hedge.isAborted).toBe(true);
    expect(sink.endpoint!.id).toBe('a');
    expect(sink.sentAtMs).toBe(performance.now() - P95_MS);
    expect(sink.calls).toEqual(['head', 'end']);
    expect(service.leftovers).toEqual([]);
  });

  it('the loser says nothing of its endpoint but how long it took at least', () => {
    const { service, first, hedge } = hedged();
    pass(300);
    const [a, b] = service.endpoints;
    const recent = vi.spyOn(a!.seen.recentLatency!, 'record');
    hedge.answers();
    expect(a!.seen).toMatchObject({ requests: 0, failures: 0, consecutiveLocalOriginFailure: 0 });
    expect(b!.seen).toMatchObject({ requests: 1, failures: 0 });
    expect(recent.mock.calls[0]![0]).toBe(P95_MS + 300);
    expect(first.isAborted).toBe(true);
  });

  it.each([
    ['the first', 'b', 0],
    ['the hedge', 'a', 1],
  ])('a status to retry of %s lets the other win', (_which, winner, index) => {
    const { service, sink, first, hedge } = hedged();
    const [bad, good] = index === 0 ? [first, hedge] : [hedge, first];
    bad.answers(503);
    expect(bad.isAborted).toBe(true);
    expect(sink.calls).toEqual([]);
    expect(service.retries).toEqual(['hedge']);
    // It was an answer all the same.
    expect(service.endpoints[index]!.seen).toMatchObject({ requests: 1, failures: 1 });
    good.answers(200);
    good.ends();
    expect([sink.status, sink.endpoint!.id]).toEqual([200, winner]);
    expect(service.leftovers).toEqual([]);
  });

  it('a status to retry lets the other win where no retry is allowed, too', () => {
    const { sink, first, hedge } = hedged({ retry: { attempts: 0 } });
    first.answers(503);
    hedge.answers(200);
    expect(sink.status).toBe(200);
  });

  it('a status that is not to be retried wins', () => {
    const { sink, first, hedge } = hedged();
    first.answers(500);
    expect([sink.status, hedge.isAborted]).toEqual([500, true]);
  });

  it('the answer of the last one is taken as it is once the attempts are used up', () => {
    const { sink, first, hedge } = hedged({ retry: { attempts: 1 } });
    first.answers(503);
    hedge.answers(503);
    expect([sink.status, sink.endpoint!.id]).toEqual([503, 'b']);
  });

  it('a failure of one is no end and no retry, and the other goes on alone', () => {
    for (const index of [0, 1]) {
      const { service, sink, first, hedge } = hedged({ retry: { attempts: 5 } });
      const [bad, good] = index === 0 ? [first, hedge] : [hedge, first];
      bad.fails('reset');
      pass(1000);
      expect(sink.tries).toEqual(['a', 'b']);
      expect(service.active.places).toBe(1);
      expect(service.endpoints[index]!.seen.failures).toBe(1);
      good.answers();
      expect([sink.status, sink.endpoint]).toEqual([200, good.endpoint]);
    }
  });

  it('both failing ends the call where the hedge has used up the attempts', () => {
    const { service, sink, first, hedge } = hedged({ retry: { attempts: 1 } });
    hedge.fails('reset');
    first.fails('connect');
    expect(sink.error).toMatchObject({ failure: 'connect' });
    expect(sink.endpoint!.id).toBe('a');
    expect(service.leftovers).toEqual([]);
  });

  it('both failing is followed by a retry where attempts are left', () => {
    const { service, sink, first, hedge } = hedged({ retry: { attempts: 2 } });
    first.fails('reset');
    hedge.fails('reset');
    pass(0);
    expect(sink.tries).toEqual(['a', 'b', 'c']);
    expect(service.retries).toEqual(['hedge', 'reset']);
    service.sent[2]!.fails('reset');
    expect(sink.error).toMatchObject({ failure: 'reset' });
    expect(service.leftovers).toEqual([]);
  });

  it('one lost to the keep-alive race is nobody’s fault', () => {
    const { service, sink, first, hedge } = hedged();
    first.fails('reset', { reused: true });
    expect(service.endpoints[0]!.seen.failures).toBe(0);
    expect(service.retries).toEqual(['hedge']);
    hedge.answers();
    expect(sink.status).toBe(200);
  });

  it('interim answers are relayed of the oldest only', () => {
    const { sink, first, hedge } = hedged();
    hedge.informs();
    expect(sink.calls).toEqual([]);
    first.informs();
    first.fails('reset');
    hedge.informs();
    expect(sink.calls).toEqual(['informational', 'informational']);
  });

  it('each is paused and resumed', () => {
    const { call, first, hedge } = hedged();
    call.pause();
    expect([first.isPaused, hedge.isPaused]).toEqual([true, true]);
    call.resume();
    expect([first.isPaused, hedge.isPaused]).toEqual([false, false]);
  });

  it('giving the call up cancels both', () => {
    const { service, call, sink, first, hedge } = hedged();
    call.abort();
    expect([first.isAborted, hedge.isAborted]).toEqual([true, true]);
    expect(sink.calls).toEqual([]);
    expect(service.leftovers).toEqual([]);
  });
});

describe('time', () => {
  it('of each try is its own', () => {
    const service = new ScriptedService({ retry: { attempts: 0 } });
    const { sink } = service.call({ perTryTimeoutMs: 300 });
    pass(300);
    const [first, hedge] = service.sent;
    expect([first!.isAborted, hedge!.isAborted]).toEqual([true, false]);
    expect(sink.calls).toEqual([]);
    pass(P95_MS - 1);
    expect(sink.calls).toEqual([]);
    pass(1);
    expect(sink.error).toMatchObject({ failure: 'timeout' });
    expect(service.endpoints.map(({ seen }) => seen.failures)).toEqual([1, 1, 0]);
    expect(service.leftovers).toEqual([]);
  });

  it('of the call covers both, and blames the one that had the more of it', () => {
    const service = new ScriptedService();
    const { sink } = service.call({ timeoutMs: P95_MS + 1 });
    pass(P95_MS + 1);
    expect(service.sent.map(({ isAborted }) => isAborted)).toEqual([true, true]);
    expect(sink.error).toMatchObject({ failure: 'timeout' });
    expect(sink.endpoint!.id).toBe('a');
    expect(service.endpoints.map(({ seen }) => seen.failures)).toEqual([1, 0, 0]);
    expect(service.leftovers).toEqual([]);
  });
});
