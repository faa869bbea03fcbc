import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GatewayExchange } from '../../../src/gateway/exchange/exchange.ts';
import { drawRequestId, toRequestId } from '../../../src/gateway/exchange/request-id.ts';
import { composeAccessLine, isPlain } from '../../../src/gateway/observe/access-line.ts';
import { toAccessRecord } from '../../../src/gateway/observe/access-log.ts';
import { LineBlock } from '../../../src/gateway/observe/line-block.ts';
import { continueTrace } from '../../../src/gateway/observe/trace-context.ts';

/** Names that need no escapes, and some that do. */
const NAME = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);
const PATH = NAME.map((name) => `/${name}`);
const MS = fc.oneof(
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.integer({ min: 0, max: 1_000_000 }).map((micros) => micros / 1000),
);
const COUNT = fc.oneof(fc.nat(5000), fc.nat(), fc.maxSafeNat());

const EXCHANGE = fc
  .record({
    requestId: fc.oneof(NAME.map(toRequestId), fc.constant(0).map(drawRequestId)),
    trace: fc.option(
      fc
        .option(fc.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/), { nil: undefined })
        .map((traceparent) => continueTrace(traceparent, undefined, 0, () => 0)),
      { nil: undefined },
    ),
    listener: NAME,
    protocol: NAME,
    ip: NAME,
    method: NAME,
    host: NAME,
    path: PATH,
    status: fc.integer({ min: 0, max: 599 }),
    bytesIn: COUNT,
    bytesOut: COUNT,
    route: NAME,
    service: NAME,
    endpoint: NAME,
    attempts: fc.nat(3),
    headAt: fc.oneof(fc.constant(0), MS),
    consumer: fc.option(NAME, { nil: undefined }),
  })
  .map(
    (facts) =>
      ({
        requestId: facts.requestId,
        id: facts.requestId.text,
        trace: facts.trace,
        listener: facts.listener,
        peer: { protocol: facts.protocol, ip: facts.ip },
        request: { method: facts.method, host: facts.host, path: facts.path },
        response: { status: facts.status },
        outcome: {
          code: '',
          reason: '',
          bytesIn: facts.bytesIn,
          bytesOut: facts.bytesOut,
        },
        route: facts.route,
        service: facts.service,
        upstream: {
          endpoint: facts.endpoint,
          attempts: facts.attempts,
          headAt: facts.headAt,
          sentAt: facts.headAt / 3,
        },
        consumer: facts.consumer === undefined ? undefined : { name: facts.consumer },
      }) as unknown as GatewayExchange,
  );

describe('the line of an exchange that went well', () => {
  it('is what its record is as JSON, or is not there where a text needs escapes', () => {
    let lines = 0;
    fc.assert(
      fc.property(EXCHANGE, MS, fc.nat(4e12), (exchange, durationMs, nowMs) => {
        const block = new LineBlock(4096);
        composeAccessLine(block, exchange, nowMs, durationMs);
        const bytes = block.end();
        if (bytes > 0) lines++;
        const json = JSON.stringify(toAccessRecord(exchange, nowMs, durationMs));
        const line = block.bytes.toString('utf8', 0, bytes);
        const mayBeLeftOut = json.includes('\\') || /[^ -~]/.test(json);
        expect(mayBeLeftOut ? ['', `${json}\n`] : [`${json}\n`]).toContain(line);
      }),
      { numRuns: 2000 },
    );
    // Else it would have shown nothing.
    expect(lines).toBeGreaterThan(500);
  });

  it('is for exchanges alone that have nothing else to tell', () => {
    const told = (outcome: object, path = '/'): boolean =>
      isPlain({ outcome, request: { path } } as unknown as GatewayExchange);
    expect(told({ code: '', reason: '' })).toBe(true);
    expect(told({ code: 'bad_gateway', reason: '' })).toBe(false);
    expect(told({ code: '', reason: 'left' })).toBe(false);
    expect(told({ code: '', reason: '' }, '')).toBe(false);
  });
});
