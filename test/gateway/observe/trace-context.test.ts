import { describe, expect, it } from 'vitest';
import {
  continueTrace,
  TRACE_ID_LENGTH,
  type TraceContext,
} from '../../../src/gateway/observe/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const begin = (sample = 0, drawn = 0.5): TraceContext =>
  continueTrace(undefined, undefined, sample, () => drawn);

describe('a trace that begins here', () => {
  it('has ids of its own, batch after batch', () => {
    const traces = Array.from({ length: 1000 }, () => begin());
    for (const { traceId, spanId, line, parentSpanId, octets, at } of traces) {
      expect(line).toBe(`traceparent: 00-${traceId}-${spanId}-00\r\n`);
      expect(line).toMatch(/^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-00\r\n$/);
      expect(parentSpanId).toBe('');
      expect(Buffer.from(octets!.buffer, at, TRACE_ID_LENGTH).toString()).toBe(traceId);
    }
    expect(new Set(traces.map(({ traceId }) => traceId)).size).toBe(1000);
    expect(new Set(traces.map(({ spanId }) => spanId)).size).toBe(1000);
  });

  it('is recorded as often as is wanted', () => {
    expect(begin(0.5, 0.6).sampled).toBe(false);
    const sampled = begin(0.5, 0.4);
    expect(sampled.sampled).toBe(true);
    expect(sampled.line).toBe(`traceparent: 00-${sampled.traceId}-${sampled.spanId}-01\r\n`);
  });
});

it('continues the trace of a caller by a span of its own', () => {
  const trace = continueTrace(`00-${TRACE}-${SPAN}-01`, 'a=1', 0, () => 0);
  expect(trace).toMatchObject({
    traceId: TRACE,
    parentSpanId: SPAN,
    sampled: true,
    tracestate: 'a=1',
    octets: undefined,
  });
  expect(trace.spanId).not.toBe(SPAN);
  expect(trace.line).toBe(`traceparent: 00-${TRACE}-${trace.spanId}-01\r\n`);
});

it.each([`00-${'0'.repeat(32)}-${SPAN}-01`, `ff-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01-x`])(
  'begins a trace instead of one that is not valid: %s',
  (traceparent) => {
    const trace = continueTrace(traceparent, 'a=1', 0, () => 0);
    expect(trace.traceId).not.toBe(TRACE);
    expect(trace.tracestate).toBeUndefined();
  },
);
