/** The base of every error that Meshgate throws on purpose, and the codes it may carry. */

/**
 * Codes of failures that end an exchange. They are part of the public surface:
 * each stands in `docs/errors.md`, and only `gateway/rescue` turns one into an answer.
 */
export type ErrorCode =
  | 'bad_request'
  | 'uri_too_long'
  | 'headers_too_large'
  | 'payload_too_large'
  | 'request_timeout'
  | 'expectation_failed'
  | 'misdirected_request'
  | 'no_route'
  | 'unauthenticated'
  | 'forbidden'
  | 'rate_limited'
  | 'no_healthy_endpoint'
  | 'circuit_open'
  | 'overloaded'
  | 'upstream_connect_failed'
  | 'upstream_reset'
  | 'upstream_protocol_error'
  | 'upstream_timeout'
  | 'client_closed_request'
  | 'drain_timeout'
  | 'plugin_failed'
  | 'internal';

/** What an error needs to become an answer; `detail` is shown to the caller, `cause` never is. */
export interface MeshgateErrorOptions {
  readonly status: number;
  /** One sentence for the caller; no secrets, no internals. */
  readonly detail?: string;
  /** Field lines that go with the answer, e.g. `['Retry-After', '1']`. */
  readonly headers?: readonly string[];
  readonly cause?: unknown;
}

/** An error with a stable code, an HTTP status and a sentence that may be shown to the caller. */
export class MeshgateError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: readonly string[];

  constructor(code: ErrorCode, options: MeshgateErrorOptions) {
    super(
      options.detail ?? code,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'MeshgateError';
    this.code = code;
    this.status = options.status;
    this.headers = options.headers ?? [];
  }
}
