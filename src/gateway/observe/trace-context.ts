/** W3C Trace Context (https://www.w3.org/TR/trace-context/): reading, continuing and writing it. */
import { cut } from '../../mesh/transport/octets.ts';
import { randomFillSync } from 'node:crypto';

export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** The caller's span, 16 hex digits; empty where the trace begins here. */
  readonly parentSpanId: string;
  /** The gateway's own span, 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
  readonly tracestate: string | undefined;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

/**
 * Continues the trace a trusted caller named, or begins one. `sample` is the probability in
 * [0, 1] that a trace which begins here is recorded; a continued one keeps its caller's decision.
 */
export function continueTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
  sample: number,
  random: () => number,
): TraceContext {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent.trim());
  if (match !== null && isValid(match)) {
    return {
      traceId: match[2]!,
      parentSpanId: match[3]!,
      spanId: randomHex(8),
      sampled: (Number.parseInt(match[4]!, 16) & 1) === 1,
      tracestate,
    };
  }
  return {
    traceId: randomHex(16),
    parentSpanId: '',
    spanId: randomHex(8),
    sampled: sample > 0 && random() < sample,
    tracestate: undefined,
  };
}

/** The field to send upstream: our span is the upstream's parent. */
export function toTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`;
}

function isValid(match: RegExpExecArray): boolean {
  const [, version, traceId, spanId, , rest] = match;
  if (version === 'ff' || traceId === ZERO_TRACE || spanId === ZERO_SPAN) return false;
  // Version 00 has no further parts; later versions may.
  return version !== '00' || rest === undefined;
}

/** Drawn for some 170 requests at a time, and cut from one text. */
const random = Buffer.alloc(4096);
let digits = '';
let used = 0;

function randomHex(bytes: number): string {
  const length = bytes * 2;
  if (used + length > digits.length) {
    digits = randomFillSync(random).toString('hex');
    used = 0;
  }
  const hex = cut(digits, used, used + length);
  used += length;
  return hex;
}
