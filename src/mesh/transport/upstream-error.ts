/** How a try can fail, and what is known of it: enough to decide on a retry and to word the answer. */

/**
 * - `connect`: no connection (refused, unreachable, name not found)
 * - `connect-timeout`: none within the connect timeout
 * - `exhausted`: this process has no socket left to connect with; the endpoint was never asked
 * - `tls`: the handshake or the certificate failed
 * - `refused-stream`: HTTP/2 said that it was not processed (REFUSED_STREAM, GOAWAY below our stream)
 * - `reset`: the connection ended before the answer was complete
 * - `protocol`: an answer came that is not HTTP
 * - `timeout`: the answer's head, or its next piece, was too late
 * - `overflow`: too many tries wait for a connection
 * - `request-body`: the client's body broke off or was too large; `cause` says how
 */
export type UpstreamFailure =
  | 'connect'
  | 'connect-timeout'
  | 'exhausted'
  | 'tls'
  | 'refused-stream'
  | 'reset'
  | 'protocol'
  | 'timeout'
  | 'overflow'
  | 'request-body';

export interface UpstreamErrorFacts {
  /** A byte of the request may have reached the endpoint. */
  readonly sent: boolean;
  /** The final answer's head had arrived. */
  readonly answered: boolean;
  /** The connection had served a request before: a reset is then likely the keep-alive race. */
  readonly reused: boolean;
  readonly cause?: unknown;
}

export class UpstreamError extends Error {
  readonly failure: UpstreamFailure;
  readonly sent: boolean;
  readonly answered: boolean;
  readonly reused: boolean;

  constructor(failure: UpstreamFailure, message: string, facts: UpstreamErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'UpstreamError';
    this.failure = failure;
    this.sent = facts.sent;
    this.answered = facts.answered;
    this.reused = facts.reused;
  }
}

/** Of a try that never got so far as to send a byte. */
export function toUnsentError(
  failure: UpstreamFailure,
  message: string,
  cause?: unknown,
): UpstreamError {
  return new UpstreamError(failure, message, {
    sent: false,
    answered: false,
    reused: false,
    cause,
  });
}
