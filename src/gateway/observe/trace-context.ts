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
  if (sample > 0 && random() < sample) own.record();
  return own;
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

export const TRACE_ID_LENGTH = 32;
const SPAN_ID_LENGTH = 16;
const TEMPLATE = toLine('#'.repeat(TRACE_ID_LENGTH), '#'.repeat(SPAN_ID_LENGTH), false);
const TRACE_ID_AT = TEMPLATE.indexOf('#');
const SPAN_ID_AT = TRACE_ID_AT + TRACE_ID_LENGTH + 1;

/** A trace that begins here. */
class DrawnTrace implements TraceContext {
  readonly parentSpanId = '';
  sampled = false;
  readonly tracestate = undefined;
  line: string;
  readonly octets: DataView;
  readonly at: number;

  constructor(line: string, octets: DataView, lineAt: number) {
    this.line = line;
    this.octets = octets;
    this.at = lineAt + TRACE_ID_AT;
  }

  get traceId(): string {
    return cut(this.line, TRACE_ID_AT, TRACE_ID_AT + TRACE_ID_LENGTH);
  }

  get spanId(): string {
    return cut(this.line, SPAN_ID_AT, SPAN_ID_AT + SPAN_ID_LENGTH);
  }

  record(): void {
    this.sampled = true;
    this.line = toLine(this.traceId, this.spanId, true);
  }
}

const drawn = new DrawnLines(
  TEMPLATE,
  (line, octets, lineAt) => new DrawnTrace(line, octets, lineAt),
);
