/** What the end of a stream says about its try; pure, so that it is tested with codes. */
import { constants } from 'node:http2';
import type { UpstreamFailure } from './upstream-error.ts';

/** A stream that has closed before its answer was complete. */
export interface StreamEnd {
  /** The code of RST_STREAM, or that of the session's end. */
  readonly code: number;
  /** The error that node gave for it, where there was one. */
  readonly cause: Error | undefined;
  /** A GOAWAY had named a last stream before this one: it was not and will not be processed. */
  readonly isPastGoaway: boolean;
  /** The final answer's head had arrived. */
  readonly answered: boolean;
}

export interface StreamFailure {
  readonly failure: UpstreamFailure;
  readonly message: string;
  /** False where the upstream vouches that it has not processed the request (RFC 9113 §8.7). */
  readonly sent: boolean;
}

export function toStreamFailure(end: StreamEnd): StreamFailure {
  const { code, cause, answered } = end;
  // After an answer has begun the upstream contradicts itself, and a retry is not safe.
  if (!answered && (end.isPastGoaway || code === constants.NGHTTP2_REFUSED_STREAM)) {
    return {
      failure: 'refused-stream',
      message: end.isPastGoaway
        ? 'the upstream closes its connection and did not process the request'
        : 'the upstream refused the stream',
      sent: false,
    };
  }
  if (isSessionError(cause)) {
    const failure = isProtocolError(cause) ? 'protocol' : 'reset';
    return { failure, message: `the HTTP/2 connection broke: ${cause.message}`, sent: true };
  }
  if (isMisunderstanding(code)) {
    return {
      failure: 'protocol',
      message: `not a valid HTTP/2 answer, or one to a request that was not understood (${toCodeName(code)})`,
      sent: true,
    };
  }
  return {
    failure: 'reset',
    message: `the stream ended before its answer was complete (${toCodeName(code)})`,
    sent: true,
  };
}

/** Whether what broke is HTTP/2 itself: the peer's bytes are none, or break its rules. */
export function isProtocolError(error: Error | undefined): boolean {
  return codeOf(error) === 'ERR_HTTP2_ERROR';
}

/**
 * Codes with which nghttp2 rejects a malformed answer on our behalf, and with which the upstream
 * rejects our request as malformed: in either case the same request would fare no better.
 */
function isMisunderstanding(code: number): boolean {
  return (
    code === constants.NGHTTP2_PROTOCOL_ERROR ||
    code === constants.NGHTTP2_FRAME_SIZE_ERROR ||
    code === constants.NGHTTP2_COMPRESSION_ERROR ||
    code === constants.NGHTTP2_HTTP_1_1_REQUIRED
  );
}

/** The stream ended with its session, and node hands the session's error to each stream. */
function isSessionError(error: Error | undefined): error is Error {
  return error !== undefined && codeOf(error) !== 'ERR_HTTP2_STREAM_ERROR';
}

function codeOf(error: NodeJS.ErrnoException | undefined): string | undefined {
  return error?.code;
}

const CODE_NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** An error code by its name in RFC 9113 §7. */
function toCodeName(code: number): string {
  return CODE_NAMES[code] ?? `code ${code}`;
}
