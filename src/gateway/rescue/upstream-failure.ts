/** Words a failed try: what the client is told when no further try is made. */
import { MeshgateError, type ErrorCode } from '../../errors.ts';
import type { UpstreamError, UpstreamFailure } from '../../mesh/transport/upstream-error.ts';

interface Wording {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly headers?: readonly string[];
}

const WORDING: Readonly<Record<UpstreamFailure, Wording>> = {
  connect: {
    code: 'upstream_connect_failed',
    status: 503,
    detail: 'No connection to the service could be made.',
  },
  'connect-timeout': {
    code: 'upstream_connect_failed',
    status: 503,
    detail: 'No connection to the service could be made in time.',
  },
  tls: {
    code: 'upstream_connect_failed',
    status: 503,
    detail: 'No secure connection to the service could be made.',
  },
  'refused-stream': {
    code: 'upstream_reset',
    status: 503,
    detail: 'The service refused the request unprocessed.',
  },
  reset: {
    code: 'upstream_reset',
    status: 503,
    detail: 'The service closed the connection before it answered.',
  },
  protocol: {
    code: 'upstream_protocol_error',
    status: 502,
    detail: 'The service sent something that is no valid answer.',
  },
  timeout: {
    code: 'upstream_timeout',
    status: 504,
    detail: 'The service did not answer in time.',
  },
  exhausted: {
    code: 'overloaded',
    status: 503,
    detail: 'The gateway is overloaded.',
    headers: ['Retry-After', '1'],
  },
  overflow: {
    code: 'circuit_open',
    status: 503,
    detail: 'Too many requests wait for the service.',
  },
  'request-body': {
    code: 'bad_request',
    status: 400,
    detail: 'The request body broke off.',
  },
};

/** The error that ends the exchange for a try that failed for good. */
export function toExchangeError(error: UpstreamError): MeshgateError {
  if (error.failure === 'request-body' && error.cause instanceof MeshgateError) return error.cause;
  const { code, ...wording } = WORDING[error.failure];
  return new MeshgateError(code, { ...wording, cause: error });
}
