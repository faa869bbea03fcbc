/** Who asks is checked before anything else: the token first, then what its role and scope allow. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AdminError } from '../problem.ts';
import { toSource, type AttemptGuard } from './attempt-guard.ts';
import { hasRole, type Principal, type Role } from './principal.ts';
import type { Verified } from './token-store.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; there in every handler. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** The least that a caller needs; a route without one is refused at start. */
    role?: Role;
    /** The handler minds the scope of the caller itself; else tokens with a scope are refused. */
    isScoped?: boolean;
  }
}

export interface AccessOptions {
  readonly verify: (text: string) => Verified;
  /** A request was let in with it. */
  readonly onUse: (tokenId: string) => void;
  readonly guard: AttemptGuard;
}

const BEARER = /^bearer +([^\s]+)$/i;

/** To be called before the first route; what is hooked in before comes before the check. */
export function useAccess(app: FastifyInstance, options: AccessOptions): void {
  app.decorateRequest('principal');
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.role !== undefined) return;
    throw new TypeError(`who may ask for ${String(method)} ${url} is not said`);
  });
  // For paths that lead nowhere too: a stranger learns nothing of what there is.
  app.addHook('onRequest', async (request, reply) => {
    const principal = authenticate(request, reply, options);
    request.principal = principal;
    options.onUse(principal.tokenId);
    if (!request.is404) authorize(request, reply, principal);
  });
}

function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  { verify, guard }: AccessOptions,
): Principal {
  const [, given] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  if (given === undefined) {
    reply.header('www-authenticate', 'Bearer realm="meshgate"');
    throw new AdminError(401, 'unauthenticated', 'A bearer token is required.');
  }
  const source = toSource(request.socket.remoteAddress);
  const waitMs = guard.waitMs(source);
  // Also while the source has to wait, so that how long the answer takes says nothing.
  const verified = verify(given);
  if ('principal' in verified) {
    const { principal } = verified;
    if (waitMs === 0 || guard.isProven(source, principal.tokenId)) {
      guard.pass(source, principal.tokenId);
      return principal;
    }
  }
  if (waitMs > 0) {
    reply.header('retry-after', String(Math.ceil(waitMs / 1_000)));
    throw new AdminError(
      429,
      'rate_limited',
      'Too many bad tokens came from this address; none is looked at for a while.',
    );
  }
  guard.fail(source, given);
  reply.header('www-authenticate', 'Bearer realm="meshgate", error="invalid_token"');
  throw 'refused' in verified && verified.refused === 'expired'
    ? new AdminError(401, 'token_expired', 'The token has expired.')
    : new AdminError(401, 'unauthenticated', 'The token is not one of this admin API.');
}

function authorize(request: FastifyRequest, reply: FastifyReply, principal: Principal): void {
  const { role, isScoped = false } = request.routeOptions.config;
  const isEnough = role !== undefined && hasRole(principal, role);
  if (isEnough && (isScoped || principal.scope === undefined)) return;
  // RFC 6750 §3.1.
  reply.header('www-authenticate', 'Bearer realm="meshgate", error="insufficient_scope"');
  const { name, role: own } = principal;
  throw new AdminError(
    403,
    'forbidden',
    isEnough
      ? `This needs a token without a scope; "${name}" has one.`
      : `This needs the role "${role}"; the token "${name}" has the role "${own}".`,
  );
}
