import { expect, it } from 'vitest';
import type { GatewayExchange } from '../../../src/gateway/exchange/exchange.ts';
import { toRequestId } from '../../../src/gateway/exchange/request-id.ts';
import {
  createObserver,
  type ObserverDependencies,
} from '../../../src/gateway/observe/create-observer.ts';
import { LineBlock } from '../../../src/gateway/observe/line-block.ts';

it('asks for the time of day once a millisecond, forwards and backwards', () => {
  let monotonicMs = 1000;
  let wallMs = 0;
  let looks = 0;
  const block = new LineBlock(10_000);
  const cells = { record() {}, rateLimited() {}, release() {} };
  const observer = createObserver({
    clock: {
      monotonic: () => monotonicMs,
      now() {
        looks++;
        return wallMs;
      },
    },
    random: () => 0,
    metrics: { cellsOf: () => cells, upstream() {}, serviceGone() {} },
    accessLog: { writer: { block, take: () => block.end() > 0 }, sample: 1 },
    tracing: undefined,
    tap: { isTapped: false },
  } as unknown as ObserverDependencies);
  const exchange = {
    requestId: toRequestId('id'),
    startedAt: 990,
    listener: 'public',
    peer: { protocol: 'http/1.1', ip: '127.0.0.1' },
    request: { method: 'GET', host: 'a.test', path: '/' },
    response: { status: 200 },
    outcome: { code: '', reason: '', bytesIn: 0, bytesOut: 0 },
    route: 'all',
    service: 'orders',
    upstream: { endpoint: '', attempts: 0, headAt: 0, sentAt: 0 },
  } as unknown as GatewayExchange;
  for (const [passedMs, nowMs] of [
    [0, 5000],
    [0.4, 5001],
    [0.5, 5001],
    [0.1, 5002],
    // The wall clock was set.
    [1, 100],
    [60_000, 60_100],
  ] as const) {
    monotonicMs += passedMs;
    wallMs = nowMs;
    observer.finished(exchange);
  }
  const lines = block.bytes.toString('latin1', 0, block.length).trim().split('\n');
  const times = lines.map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
  expect(times).toEqual([5000, 5000, 5000, 5002, 100, 60_100]);
  expect(looks).toBe(4);
});
