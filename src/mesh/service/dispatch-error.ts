/** What a call failed with, in the terms of undici: its users decide by code, and so do its interceptors. */
import { errors } from 'undici';
import { RequestSyntaxError } from '../transport/request-syntax.ts';
import { UpstreamError } from '../transport/upstream-error.ts';

/** The system's own errors have no room for the failure that they are the cause of. */
const failures = new WeakMap<Error, UpstreamError>();

/** The failed try behind an error that `toDispatchError` gave; undefined where there was none. */
export function findUpstreamError(error: Error): UpstreamError | undefined {
  return failures.get(error);
}

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
  const told = toUndiciError(error);
  failures.set(told, error);
  return told;
}

function toUndiciError(error: UpstreamError): Error {
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
