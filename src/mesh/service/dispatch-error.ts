/** What a call failed with, in the terms of undici: its users decide by code, and so do its interceptors. */
import { errors } from 'undici';
import { RequestSyntaxError } from '../transport/http1-request-writer.ts';
import { UpstreamError } from '../transport/upstream-error.ts';

/**
 * An error of the connection becomes the one that undici has for it, with ours as its cause. What
 * undici has no word for stays: `no_healthy_endpoint`, `circuit_open` and other `MeshgateError`s.
 *
 * | failure | error |
 * | --- | --- |
 * | `connect`, `tls` | the system's own, e.g. with code `ECONNREFUSED`; else SocketError |
 * | `connect-timeout` | ConnectTimeoutError |
 * | `timeout` | HeadersTimeoutError, after the answer's head BodyTimeoutError |
 * | `request-body` | what the body failed with |
 * | `protocol`, where the request cannot be written | InvalidArgumentError |
 * | others | SocketError |
 */
export function toDispatchError(error: Error): Error {
  if (!(error instanceof UpstreamError)) return error;
  const { failure, message, cause, answered } = error;
  switch (failure) {
    case 'connect':
    case 'tls':
    case 'request-body':
      return cause instanceof Error ? cause : causedBy(new errors.SocketError(message), error);
    case 'connect-timeout':
      return causedBy(new errors.ConnectTimeoutError(message), error);
    case 'timeout':
      return causedBy(
        answered ? new errors.BodyTimeoutError(message) : new errors.HeadersTimeoutError(message),
        error,
      );
    case 'protocol':
      return causedBy(
        cause instanceof RequestSyntaxError
          ? new errors.InvalidArgumentError(`${message}: ${cause.message}`)
          : new errors.SocketError(message),
        error,
      );
    default:
      return causedBy(new errors.SocketError(message), error);
  }
}

/** undici's own constructors take no cause. */
function causedBy(error: Error, cause: Error): Error {
  error.cause = cause;
  return error;
}
