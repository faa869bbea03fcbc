/** What a call of the mesh failed with, answered as a gateway would: problem+json (RFC 9457). */
import { MeshgateError } from '../errors.ts';
import { renderFailure } from '../gateway/rescue/problem-answer.ts';
import { toProxyStatus } from '../gateway/rescue/proxy-status.ts';
import { toExchangeError } from '../gateway/rescue/upstream-failure.ts';
import { findUpstreamError } from '../mesh/service/dispatch-error.ts';

/** What it takes of Fastify's reply, over HTTP/1.1 and HTTP/2. */
interface Reply {
  readonly request: { readonly id: string; readonly url: string };
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(payload: Buffer): unknown;
}

/** Of a mesh that is closed, and of a name that nobody can register. */
const NOBODY_THERE = new Set(['UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'ENOTFOUND']);

/**
 * Answers a call of the mesh that failed with `application/problem+json`: `status`, `code`,
 * `detail`, and `Proxy-Status` (RFC 9209). What failed is not told to the client; Fastify's log has
 * it. `error` is what \@fastify/http-proxy gives to `replyOptions.onError`, or what `fetch` and
 * undici's `request` threw.
 *
 * @example
 * app.register(httpProxy, {
 *   upstream: 'http://orders.mesh',
 *   undici: mesh.dispatcher,
 *   replyOptions: { retryDelay: () => null, onError: sendProblem },
 * });
 */
export function sendProblem(reply: Reply, { error }: { readonly error: unknown }): void {
  const { request } = reply;
  const failure = toMeshgateError(error);
  const { code, status, message, cause, headers: extra } = failure;
  const [path = ''] = request.url.split('?', 1);
  const { headers, body } = renderFailure(
    { status, code, detail: message, headers: extra, proxyStatus: toProxyStatus(code, cause) },
    { id: request.id, path, grpc: false },
  );
  reply.code(status);
  for (let i = 0; i < headers.length; i += 2) reply.header(headers[i]!, headers[i + 1]!);
  // As bytes: Fastify would add a charset, which JSON has none of (RFC 8259 §11).
  reply.send(Buffer.from(body ?? ''));
}

/** The error itself, or one that it wraps: \@fastify/reply-from and fetch wrap what they were given. */
function toMeshgateError(error: unknown): MeshgateError {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    if (at instanceof MeshgateError) return at;
    const upstream = findUpstreamError(at);
    if (upstream !== undefined) return toExchangeError(upstream);
    if (at.cause === undefined) return toOther(at);
  }
  return toOther(error);
}

function toOther(cause: unknown): MeshgateError {
  const { code, statusCode } = (cause ?? {}) as { code?: string; statusCode?: number };
  if (code !== undefined && NOBODY_THERE.has(code)) {
    const detail = 'No endpoint of the service can take the request.';
    return new MeshgateError('no_healthy_endpoint', { status: 503, detail, cause });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const detail = 'The request cannot be passed on as it is.';
    return new MeshgateError('bad_request', { status: 400, detail, cause });
  }
  const detail = 'The request could not be passed on.';
  return new MeshgateError('internal', { status: 500, detail, cause });
}
