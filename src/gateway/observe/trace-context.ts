/** W3C Trace Context (https://www.w3.org/TR/trace-context/): reading, continuing and writing it. */
import { randomFillSync } from 'node:crypto';
import { cut } from '../../mesh/transport/octets.ts';

export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** The caller's span, 16 hex digits; empty where the trace begins here. */
  readonly parentSpanId: string;
  /** The gateway's own span, 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
  readonly tracestate: string | undefined;
  /** The field line to send upstream: our span is the upstream's parent. */
  readonly line: string;
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
  const drawn = drawLine();
  const spanId = cut(drawn, SPAN_AT, SPAN_AT + 16);
  if (match !== null && isValid(match)) {
    const traceId = match[2]!;
    const sampled = (Number.parseInt(match[4]!, 16) & 1) === 1;
    const line = toLine(traceId, spanId, sampled);
    return { traceId, parentSpanId: match[3]!, spanId, sampled, tracestate, line };
  }
  const traceId = cut(drawn, TRACE_AT, TRACE_AT + 32);
  const sampled = sample > 0 && random() < sample;
  const line = sampled ? toLine(traceId, spanId, true) : drawn;
  return { traceId, parentSpanId: '', spanId, sampled, tracestate: undefined, line };
}

function toLine(traceId: string, spanId: string, sampled: boolean): string {
  return `traceparent: 00-${traceId}-${spanId}-${sampled ? '01' : '00'}\r\n`;
}

function isValid(match: RegExpExecArray): boolean {
  const [, version, traceId, spanId, , rest] = match;
  if (version === 'ff' || traceId === ZERO_TRACE || spanId === ZERO_SPAN) return false;
  // Version 00 has no further parts; later versions may.
  return version !== '00' || rest === undefined;
}

const NOTHING_DRAWN = toLine(ZERO_TRACE, ZERO_SPAN, false);
const LINE = NOTHING_DRAWN.length;
const TRACE_AT = NOTHING_DRAWN.indexOf(ZERO_TRACE);
const SPAN_AT = TRACE_AT + 33;

/** Drawn at a time, and cut from one text, which costs less than joining each. */
const BATCH = 128;
const BYTES = 24;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const random = Buffer.alloc(BATCH * BYTES);
const written = Buffer.from(NOTHING_DRAWN.repeat(BATCH), 'latin1');
let text = '';
let used = 0;

/** That of a trace and a span of their own. */
function drawLine(): string {
  if (used === text.length) drawBatch();
  const line = cut(text, used, used + LINE);
  used += LINE;
  return line;
}

function drawBatch(): void {
  randomFillSync(random);
  let at = 0;
  for (let i = 0; i < random.length; i++) {
    const place = i % BYTES;
    const start = ((i - place) / BYTES) * LINE;
    if (place === 0) at = start + TRACE_AT;
    else if (place === 16) at = start + SPAN_AT;
    const octet = random[i]!;
    written[at++] = DIGITS[octet >> 4]!;
    written[at++] = DIGITS[octet & 0x0f]!;
  }
  text = written.toString('latin1');
  used = 0;
}
