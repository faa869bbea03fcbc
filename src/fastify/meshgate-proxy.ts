/** The Fastify plugin: @fastify/http-proxy on the mesh, set as a proxy in front of the mesh has to be. */
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import type { FastifyInstance } from 'fastify';
import { MeshClientError } from '../client/client-error.ts';
import type { Mesh } from '../client/mesh.ts';
import { sendProblem } from './problem.ts';

/** Where calls go, and whether they are tried again, is for the mesh to say. */
const OF_THE_MESH = [
  'upstream',
  'base',
  'undici',
  'http',
  'http2',
  'globalAgent',
  'destroyAgent',
  'balancedPoolOptions',
  'retryMethods',
  'maxRetriesOn503',
] as const;
const REPLY_OPTIONS_OF_THE_MESH = ['retryDelay', 'retriesCount', 'getUpstream'] as const;
/** It opens WebSockets by itself, past `undici`. */
const WEBSOCKET = [
  'websocket',
  'wsUpstream',
  'wsHooks',
  'wsReconnect',
  'wsClientOptions',
  'wsServerOptions',
] as const;

type ReplyOptions = NonNullable<FastifyHttpProxyOptions['replyOptions']>;

/** Those of @fastify/http-proxy, without what the mesh decides on. */
export interface MeshgateProxyOptions extends Omit<
  FastifyHttpProxyOptions,
  (typeof OF_THE_MESH)[number] | (typeof WEBSOCKET)[number] | 'replyOptions'
> {
  readonly mesh: Pick<Mesh, 'dispatcher' | 'origin'>;
  /** The service that requests under `prefix` go to. */
  readonly service: string;
  /** `onError` is in place of the answer as problem+json. `timeout` is in place of the service's own. */
  readonly replyOptions?: Omit<ReplyOptions, (typeof REPLY_OPTIONS_OF_THE_MESH)[number]>;
}

/**
 * Passes all requests under `prefix` on to a service of the mesh, without the prefix (`rewritePrefix`
 * puts another in its place). It is encapsulated: hooks that are added in the same context apply to
 * it. The instance, retries, timeouts and the circuit breaker are the mesh's; the retries of
 * \@fastify/http-proxy are off, since they ignore the method and take Retry-After for milliseconds.
 *
 * Where no answer could be had, it answers `application/problem+json`: 503 `no_healthy_endpoint`,
 * `circuit_open`, `upstream_connect_failed` and `upstream_reset`, 502 `upstream_protocol_error`, 504
 * `upstream_timeout`. The log has the cause.
 *
 * Throws a `MeshClientError` at registration for an option that the mesh decides on. WebSockets are
 * none of it: \@fastify/http-proxy opens them by itself, and does not ask a dispatcher.
 *
 * @example
 * import Fastify from 'fastify';
 * import { createMesh } from 'meshgate/client';
 * import { meshgateProxy } from 'meshgate/fastify';
 *
 * const app = Fastify();
 * const mesh = createMesh({ redis: 'redis://127.0.0.1:6379' });
 * app.register(meshgateProxy, { mesh, service: 'orders', prefix: '/orders' });
 * app.addHook('onClose', () => mesh.close());
 * await app.listen({ port: 3000 });
 */
export async function meshgateProxy(
  app: FastifyInstance,
  options: MeshgateProxyOptions,
): Promise<void> {
  assertOptions(options);
  // This context has the prefix already.
  const { mesh, service, prefix: _prefix, replyOptions, ...rest } = options;
  const settings: FastifyHttpProxyOptions = {
    ...rest,
    upstream: mesh.origin(service),
    undici: mesh.dispatcher,
    replyOptions: { onError: sendProblem, ...replyOptions, retryDelay: () => null },
  };
  await app.register(httpProxy, settings);
}

function assertOptions(options: unknown): void {
  const given = options as Readonly<Record<string, unknown>>;
  const { mesh, service, replyOptions = {} } = given as Partial<MeshgateProxyOptions>;
  if (typeof mesh?.origin !== 'function' || mesh.dispatcher === undefined) {
    throw invalid('mesh', 'must be what createMesh gives');
  }
  if (typeof service !== 'string') throw invalid('service', 'is missing');
  for (const name of OF_THE_MESH) {
    if (given[name] !== undefined) throw invalid(name, 'is for the mesh to say');
  }
  for (const name of WEBSOCKET) {
    if (given[name] === undefined || given[name] === false) continue;
    throw invalid(name, 'cannot be: @fastify/http-proxy opens WebSockets past the mesh');
  }
  for (const name of REPLY_OPTIONS_OF_THE_MESH) {
    if ((replyOptions as Readonly<Record<string, unknown>>)[name] === undefined) continue;
    throw invalid(`replyOptions.${name}`, 'is for the mesh to say');
  }
}

function invalid(field: string, problem: string): MeshClientError {
  return new MeshClientError('invalid_option', `meshgateProxy: ${field} ${problem}`, { field });
}
