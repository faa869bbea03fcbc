/** W3C Trace Context (https://www.w3.org/TR/trace-context/): reading, continuing and writing it. */
import { cut } from '../../mesh/transport/octets.ts';
import { DrawnLines } from '../exchange/drawn-lines.ts';

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
  /** The trace id has `TRACE_ID_LENGTH` of them from `at` on; undefined: it was not drawn here. */
  readonly octets: DataView | undefined;
  readonly at: number;
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
  const own = drawn.next();
  if (match !== null && isValid(match)) {
    const { spanId } = own;
    const traceId = match[2]!;
    const sampled = (Number.parseInt(match[4]!, 16) & 1) === 1;
    return {
      traceId,
      parentSpanId: match[3]!,
      spanId,
      sampled,
      tracestate,
      line: toLine(traceId, spanId, sampled),
      octets: undefined,
      at: 0,
    };
  }
  if (!(sample > 0 && random() < sample)) return own;
  return { ...own, sampled: true, line: toLine(own.traceId, own.spanId, true) };
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

const TEMPLATE = toLine('#'.repeat(32), '#'.repeat(16), false);
export const TRACE_ID_LENGTH = 32;
const TRACE_ID_AT = TEMPLATE.indexOf('#');
const SPAN_ID_AT = TRACE_ID_AT + TRACE_ID_LENGTH + 1;

const drawn = new DrawnLines<TraceContext>(TEMPLATE, (line, octets, lineAt) => ({
  traceId: cut(line, TRACE_ID_AT, TRACE_ID_AT + TRACE_ID_LENGTH),
  parentSpanId: '',
  spanId: cut(line, SPAN_ID_AT, SPAN_ID_AT + 16),
  sampled: false,
  tracestate: undefined,
  line,
  octets,
  at: lineAt + TRACE_ID_AT,
}));
