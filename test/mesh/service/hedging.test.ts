import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TryHead } from '../../../src/mesh/service/call.ts';
import { ManualBody, readyBody } from '../../contracts/test-body-source.ts';
import { ScriptedService, SettledRecorder } from './scripted-service.ts';

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

describe('a hedge', () => {
  it('goes to another endpoint once the try is slower than the p95 of its own', () => {
    const service = new ScriptedService();
    const { sink } = service.call();
    pass(P95_MS - 1);
    expect(sink.tries).toEqual(['a']);
    pass(1);
    expect(sink.tries).toEqual(['a', 'b']);
    expect(service.retries).toEqual(['hedge']);
    expect(service.active).toEqual({ endpoints: [1, 1, 0], places: 2 });
  });

  it('comes no sooner than minDelay', () => {
    const service = new ScriptedService({ latencyMs: 1, hedge: { minDelayMs: 50 } });
    service.call();
    pass(49);
    expect(service.sent).toHaveLength(1);
    pass(1);
    expect(service.sent).toHaveLength(2);
  });

  it('comes after the percentile of those answers that the service has given', () => {
    const service = new ScriptedService({ latencyMs: 0 });
    for (let i = 0; i < 60; i++) {
      service.call();
      pass(40);
      service.sent[i]!.answers();
      service.sent[i]!.ends();
    }
    service.call();
    pass(39);
    expect(service.sent).toHaveLength(61);
    pass(5);
    expect(service.sent).toHaveLength(62);
  });

  it('is not sent as long as fewer than 20 answers are known', () => {
    const service = new ScriptedService({ latencyMs: 0, endpoints: 2 });
    for (let i = 0; i < 38; i++) {
      service.call();
      pass(1);
      service.sent[i]!.answers();
      service.sent[i]!.ends();
    }
    const { sink } = service.call();
    pass(60_000);
    expect(sink.tries).toEqual(['a']);
  });

  it.each([
    ['the service does not hedge', { hedge: null }, {}],
    ['the method is not idempotent', {}, { method: 'POST' }],
    ['it would become a tunnel', {}, { upgrade: 'websocket' }],
    ['there is one endpoint', { endpoints: 1 }, {}],
    ['the budget is spent', { minPerSecond: 0 }, {}],
    ['maxRequests is reached', { maxRequests: 1 }, {}],
    ['the body is still being sent', {}, { method: 'PUT', body: new ManualBody() }],
    ['the body is too large to keep', {}, { method: 'PUT', body: readyBody('x'.repeat(65_537)) }],
  ])('is not sent where %s', (_why, options, changes) => {
    const service = new ScriptedService(options);
    const { call, sink } = service.call(changes);
    service.sent[0]!.request.body?.start({ onData() {}, onEnd() {}, onError() {} });
    pass(60_000);
    expect(sink.tries).toEqual(['a']);
    expect(service.host.breaker.overflows.requests).toBe(0);
    call.abort();
    expect(service.leftovers).toEqual([]);
  });

  it('is not sent for a session, which only its own endpoint knows', () => {
    const service = new ScriptedService();
    const { sink } = service.call({ pinned: service.endpoints[2]! });
    pass(60_000);
    expect(sink.tries).toEqual(['c']);
  });

  it('is not sent while the reader wants nothing', () => {
    const service = new ScriptedService();
    const { call, sink } = service.call();
    call.pause();
    pass(60_000);
    expect(sink.tries).toEqual(['a']);
  });

  it('is not sent once the answer has begun', () => {
    const service = new ScriptedService();
    const { sink } = service.call();
    service.sent[0]!.answers();
    pass(60_000);
    expect(sink.tries).toEqual(['a']);
  });

  it('is due anew while the body comes, which is not the time of the endpoint', () => {
    const service = new ScriptedService();
    const body = new ManualBody();
    const { sink } = service.call({ method: 'PUT', body });
    service.sent[0]!.request.body!.start({ onData() {}, onEnd() {}, onError() {} });
    pass(P95_MS + 10);
    body.push('all');
    body.end();
    pass(P95_MS - 11);
    expect(sink.tries).toEqual(['a']);
    pass(1);
    expect(sink.tries).toEqual(['a', 'b']);
  });

  it('sends the whole body again', () => {
    const service = new ScriptedService();
    const body = new ManualBody(4);
    service.call({ method: 'PUT', body });
    const pieces: string[][] = [[], []];
    const read = (index: number): void =>
      service.sent[index]!.request.body!.start({
        onData: (chunk) => pieces[index]!.push(Buffer.from(chunk).toString()),
        onEnd: () => pieces[index]!.push('end'),
        onError: () => undefined,
      });
    read(0);
    body.push('bo');
    body.push('dy');
    body.end();
    pass(P95_MS);
    expect(service.sent[1]!.request.body!.length).toBe(4);
    read(1);
    expect(pieces).toEqual([
      ['bo', 'dy', 'end'],
      ['bo', 'dy', 'end'],
    ]);
  });

  it('is paid for as a retry is: one for five requests', () => {
    const service = new ScriptedService({ minPerSecond: 0 });
    for (let i = 0; i < 10; i++) service.call();
    pass(P95_MS);
    expect(service.retries).toEqual(['hedge', 'hedge']);
    expect([service.deposits, service.withdrawals]).toEqual([10, 2]);
  });

  it('follows another, at a third endpoint, where the rules allow two', () => {
    const service = new ScriptedService({ hedge: { attempts: 2 } });
    const { sink } = service.call();
    pass(P95_MS);
    pass(P95_MS - 1);
    expect(sink.tries).toEqual(['a', 'b']);
    pass(60_000);
    expect(sink.tries).toEqual(['a', 'b', 'c']);
    expect(service.active).toEqual({ endpoints: [1, 1, 1], places: 3 });
    service.sent[1]!.answers();
    expect(service.sent.map(({ isAborted }) => isAborted)).toEqual([true, false, true]);
    expect(service.active).toEqual({ endpoints: [0, 1, 0], places: 1 });
    expect(sink.endpoint!.id).toBe('b');
  });

  it('is sent beside a retry that is slow, too', () => {
    const service = new ScriptedService({ retry: { attempts: 1 } });
    const { sink } = service.call();
    service.sent[0]!.fails('connect');
    pass(0);
    pass(P95_MS);
    expect(sink.tries).toEqual(['a', 'b', 'c']);
    expect(service.retries).toEqual(['connect-failure', 'hedge']);
  });
});

describe('the head of a hedge', () => {
  const HEAD: TryHead = { target: '/', authority: 'orders.test', headers: [] };

  it.each([
    [
      'now',
      (): TryHead => {
        throw new Error('no second one');
      },
    ],
    ['later', (): Promise<TryHead> => Promise.reject(new Error('no second one'))],
  ])('that cannot be made (%s) leaves the first try alone', async (_when, refuse) => {
    const service = new ScriptedService();
    const { sink } = service.call({ toTry: (_to, attempt) => (attempt === 1 ? HEAD : refuse()) });
    await vi.advanceTimersByTimeAsync(P95_MS);
    expect(service.active).toEqual({ endpoints: [1, 0, 0], places: 1 });
    service.sent[0]!.answers();
    service.sent[0]!.ends();
    expect([sink.status, sink.endpoint!.id]).toEqual([200, 'a']);
    expect(service.leftovers).toEqual([]);
  });

  it('that comes after the first has answered is not sent', async () => {
    const late = Promise.withResolvers<TryHead>();
    const service = new ScriptedService();
    service.call({ toTry: (_to, attempt) => (attempt === 1 ? HEAD : late.promise) });
    pass(P95_MS);
    service.sent[0]!.answers();
    late.resolve(HEAD);
    await late.promise;
    expect(service.sent).toHaveLength(1);
    service.sent[0]!.ends();
    expect(service.leftovers).toEqual([]);
  });

  it('is not asked for where the sink gives up as it hears of it', () => {
    const service = new ScriptedService();
    const sink = new SettledRecorder();
    const { call } = service.call({}, sink);
    sink.onTried = () => call.abort();
    pass(P95_MS);
    expect(service.sent.map(({ isAborted }) => isAborted)).toEqual([true]);
    expect(service.leftovers).toEqual([]);
  });
});
