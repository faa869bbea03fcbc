/** Error → answer. The only place that turns what was thrown, refused or failed into words for the caller. */
import { MeshgateError } from '../../errors.ts';
import { UpstreamError } from '../../mesh/transport/upstream-error.ts';
import { Problem, type Answer } from '../../plugins/sdk/answer.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { isGrpcContent } from '../exchange/grpc-content.ts';
import { renderFailure, type Failure } from './problem-answer.ts';
import { toProxyStatus } from './proxy-status.ts';
import { toExchangeError } from './upstream-failure.ts';

/** The answer to an exchange that something refused or broke; notes code and reason for the log. */
export function rescue(exchange: GatewayExchange, cause: unknown): Answer {
  const failure = toFailure(cause);
  const { outcome } = exchange;
  outcome.code = failure.code;
  if (outcome.reason === '') outcome.reason = reasonOf(cause);
  return renderFailure(failure, {
    id: exchange.id,
    path: exchange.request.path,
    grpc: isGrpcContent(exchange.request.headers.get('content-type')),
  });
}

/** The answer to bytes that never became an exchange. */
export function rescueMalformed(error: MeshgateError, id: string): Answer {
  return renderFailure(toFailure(error), { id, path: '', grpc: false });
}

/** The code that a failure would be answered by, for one that comes too late to be. */
export function codeOf(cause: unknown): string {
  return cause instanceof Problem ? cause.code : toMeshgateError(cause).code;
}

/** One line for the log: messages down the chain of causes. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Problem) return cause.detail ?? cause.code;
  const messages: string[] = [];
  for (let at = cause, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    messages.push(at.message);
  }
  const last = messages.pop();
  // Sentences end; what is followed by its cause does not.
  return last === undefined
    ? String(cause)
    : [...messages.map((message) => message.replace(/\.$/, '')), last].join(': ');
}

function toFailure(cause: unknown): Failure {
  if (cause instanceof Problem) {
    const { status, code, detail, headers } = cause;
    return { status, code, detail, headers, proxyStatus: toProxyStatus(code, undefined) };
  }
  const error = toMeshgateError(cause);
  return {
    status: error.status,
    code: error.code,
    detail: error.message === error.code ? undefined : error.message,
    headers: error.headers,
    proxyStatus: toProxyStatus(error.code, error.cause),
  };
}

function toMeshgateError(cause: unknown): MeshgateError {
  if (cause instanceof MeshgateError) return cause;
  if (cause instanceof UpstreamError) return toExchangeError(cause);
  return new MeshgateError('internal', {
    status: 500,
    detail: 'The gateway failed to handle the request.',
    cause,
  });
}
