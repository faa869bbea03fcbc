/** `/v1/nodes/{node}/…`: the admin API of another node, through this one. */
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Agent } from 'undici';
import { LOCAL_ADMIN } from '../access/principal.ts';
import { AdminError } from '../problem.ts';
import type { MeshNode } from '../views/mesh-nodes.ts';
import { findNode } from './find-node.ts';
import { FORWARDED_BY, toForwardedFields, toReturnedFields } from './forwarded-fields.ts';
import {
  ANSWER_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  isConnectTimeout,
  notThere,
  toForwardingFailure,
} from './forwarding-failure.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** There where it is forwarded: an origin. */
    forwardedTo: string;
  }
}

export interface ForwardingDependencies {
  /** Name of this node. */
  readonly own: string | undefined;
  /** As they are known last. */
  readonly nodes: () => Promise<readonly MeshNode[]>;
  readonly lost: () => readonly string[];
  /** Of the loopback device that this node sees. */
  readonly loopback: string;
  readonly monotonic: () => number;
}

/** After a connection that did not come about; nobody waits for the same twice in a row. */
const REST_MS = 5_000;

const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'];

export function addForwarding(app: FastifyInstance, deps: ForwardingDependencies): void {
  const { own, nodes, lost, loopback, monotonic } = deps;
  /** Until when an origin is not tried, by monotonic time. */
  const resting = new Map<string, number>();

  function rest(origin: string): void {
    const nowMs = monotonic();
    for (const [other, untilMs] of resting) if (untilMs <= nowMs) resting.delete(other);
    resting.set(origin, nowMs + REST_MS);
  }

  async function find(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const node = nodeOf(request);
    if (request.headers[FORWARDED_BY] !== undefined) {
      throw new AdminError(
        508,
        'forwarding_loop',
        'Another node has forwarded this already, and it is forwarded once only.',
      );
    }
    if (request.principal.tokenId === LOCAL_ADMIN.tokenId && node !== own) {
      reply.header('www-authenticate', 'Bearer realm="meshgate", error="invalid_token"');
      throw new AdminError(
        401,
        'local_token',
        'The token in the data directory of a node is for that node alone. Make one for all of them: `meshgate token create`.',
      );
    }
    const origin = findNode(node, { nodes: await nodes(), lost: lost(), loopback });
    if (monotonic() < (resting.get(origin) ?? 0)) throw notThere(node);
    request.forwardedTo = origin;
  }

  app.decorateRequest('forwardedTo', '');
  void app.register(
    async (scope) => {
      // No connection is kept: a write must not meet one that is about to close.
      const agent = new Agent({
        connect: { timeout: CONNECT_TIMEOUT_MS },
        headersTimeout: ANSWER_TIMEOUT_MS,
        bodyTimeout: ANSWER_TIMEOUT_MS,
        pipelining: 0,
      });
      scope.addHook('onClose', () => agent.destroy());
      // After who asks has been checked, and before a byte of the body is read.
      scope.addHook('onRequest', find);
      // Bodies pass through; the other node says which it takes.
      scope.removeAllContentTypeParsers();
      await scope.register(httpProxy, {
        upstream: '',
        routes: ['/*'],
        rewritePrefix: '/v1',
        httpMethods: METHODS,
        // Its own would put the pattern in, not the name.
        internalRewriteLocationHeader: false,
        config: { role: 'viewer', isScoped: true, isForwarding: true },
        // It asks nothing of it but `request`; the types are those of an undici of its own.
        undici: agent as NonNullable<FastifyHttpProxyOptions['undici']>,
        replyOptions: {
          getUpstream: (request) => (request as FastifyRequest).forwardedTo,
          // Its own ignore the method, and take Retry-After for milliseconds.
          retryDelay: () => null,
          rewriteRequestHeaders: (request, fields) =>
            toForwardedFields(fields, {
              from: own,
              to: nodeOf(request as FastifyRequest),
              requestId: request.id,
            }),
          rewriteHeaders: (fields, request) =>
            toReturnedFields(fields, nodeOf(request as FastifyRequest)),
          onError(reply, { error }) {
            const { request } = reply;
            const origin = (request as FastifyRequest).forwardedTo;
            if (isConnectTimeout(error)) rest(origin);
            const { isWrite } = request.audited;
            const node = nodeOf(request as FastifyRequest);
            void reply.send(toForwardingFailure(error, node, !isWrite));
          },
        },
      });
    },
    { prefix: '/v1/nodes/:node' },
  );
}

function nodeOf({ params }: FastifyRequest): string {
  return (params as { readonly node: string }).node;
}
