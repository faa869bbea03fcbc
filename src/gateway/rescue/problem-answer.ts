/** Renders a refusal as the caller understands it: problem+json (RFC 9457), or a grpc-status. */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../../plugins/sdk/answer.ts';

/** A refusal or failure, from whichever source, ready to be rendered. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;
  /** Flat field lines. */
  readonly headers: readonly string[];
  /** For Proxy-Status. */
  readonly proxyStatus: string;
}

/** What the answer says about its request. */
export interface FailedRequest {
  readonly id: string;
  /** Canonical path; empty where there was none. */
  readonly path: string;
  readonly grpc: boolean;
}

export function renderFailure(failure: Failure, request: FailedRequest): Answer {
  return request.grpc ? toGrpcAnswer(failure, request) : toProblemAnswer(failure, request);
}

function toProblemAnswer(failure: Failure, request: FailedRequest): Answer {
  const body = JSON.stringify({
    type: `urn:meshgate:problem:${failure.code}`,
    title: STATUS_CODES[failure.status] ?? 'Unknown',
    status: failure.status,
    detail: failure.detail,
    instance: request.path === '' ? undefined : request.path,
    code: failure.code,
    request_id: request.id,
    source: 'gateway',
  });
  return {
    status: failure.status,
    headers: [
      'Content-Type',
      'application/problem+json',
      'Cache-Control',
      'no-store',
      'X-Request-Id',
      request.id,
      'Proxy-Status',
      failure.proxyStatus,
      ...failure.headers,
    ],
    body,
  };
}

/** HTTP to gRPC by the table of the gRPC project (doc/http-grpc-status-mapping.md). */
function toGrpcStatus(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 408:
    case 499:
      return 1;
    case 413:
    case 431:
      return 8;
    case 504:
      return 4;
    case 429:
    case 502:
    case 503:
      return 14;
    default:
      return httpStatus >= 500 ? 13 : 2;
  }
}

/** A trailers-only answer: gRPC callers read the status from the one head there is. */
function toGrpcAnswer(failure: Failure, request: FailedRequest): Answer {
  const status = failure.code === 'rate_limited' ? 8 : toGrpcStatus(failure.status);
  const message = failure.detail ?? failure.code;
  return {
    status: 200,
    headers: [
      'content-type',
      'application/grpc',
      'grpc-status',
      String(status),
      'grpc-message',
      toGrpcMessage(message),
      'x-request-id',
      request.id,
      'proxy-status',
      failure.proxyStatus,
      ...failure.headers,
    ],
    body: undefined,
  };
}

/** Percent-encodes what the gRPC wire format does not allow in a message. */
function toGrpcMessage(text: string): string {
  // Half a surrogate pair, in a plugin's detail, would throw.
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', ' ')
    .replaceAll('%2C', ',')
    .replaceAll("'", '%27');
}
