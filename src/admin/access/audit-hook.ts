/** Tells the audit log of every write and every refusal, before the caller has the answer. */
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEntry, AuditEvent } from './audit-entry.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a handler adds to the audit entry of its request. */
    audited: {
      /** Address of the caller: a request whose body was passed on has let go of its socket. */
      readonly source: string;
      /** Whether it may change anything, here or on the node that it is forwarded to. */
      readonly isWrite: boolean;
      /** Of the configuration, where the request made one. */
      version?: number;
      /** Set where errors become answers. */
      code?: string;
      isRecorded?: boolean;
    };
  }
  interface FastifyContextConfig {
    /** It changes nothing, though its method could. What viewers may do never does. */
    isReading?: boolean;
    /** Another node does what it asks for, and says there who may. */
    isForwarding?: boolean;
  }
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
const FORWARDED_PREFIX = /^\/v1\/nodes\/[^/]+\//;

/** To be called before all other hooks. */
export function useAudit(app: FastifyInstance, record: (event: AuditEvent) => void): void {
  /** Questions that need a body, e.g. `POST /v1/explain`: other nodes have them too. */
  const questions = new Set<string>();
  app.decorateRequest('audited');
  app.addHook('onRoute', ({ method, url, config = {} }) => {
    if (!isWriteOf(config)) questions.add(`${String(method)} ${url}`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const isWrite = mayChange(request, questions);
    request.audited = { source: request.socket.remoteAddress ?? '', isWrite };
    if (!isWrite) return;
    // Nobody writes unseen by going away: then there may be no answer to hook into.
    reply.raw.once('close', () => {
      if (request.audited.isRecorded === true) return;
      record(toEvent(request, reply, 'unfinished'));
    });
  });
  app.addHook('onSend', async (request, reply) => {
    const { statusCode: status } = reply;
    // Of a refusal in the server itself, which no hook has seen.
    if (request.audited === undefined || request.audited.isRecorded === true) return;
    if (!request.audited.isWrite && !isRefusedRead(status)) return;
    request.audited.isRecorded = true;
    record(toEvent(request, reply, toOutcome(status)));
  });
}

/**
 * What is forwarded counts here too, since the other node does not know where it came from. A path
 * that is written in another way than its route, such as with escapes, is taken for a write.
 */
function mayChange(
  { method, url, routeOptions: { config } }: FastifyRequest,
  questions: ReadonlySet<string>,
): boolean {
  if (READING.has(method)) return false;
  if (config.isForwarding !== true) return isWriteOf(config);
  return !questions.has(`${method} ${url.split('?', 1)[0]!.replace(FORWARDED_PREFIX, '/v1/')}`);
}

function isWriteOf({ role, isReading }: FastifyContextConfig): boolean {
  return role !== 'viewer' && isReading !== true;
}

/** That there is nothing at a path, or nothing by this method, refuses nothing. */
function isRefusedRead(status: number): boolean {
  return status >= 400 && status < 500 && status !== 404 && status !== 405;
}

function toOutcome(status: number): AuditEntry['outcome'] {
  if (status < 400) return 'done';
  return status < 500 ? 'refused' : 'failed';
}

function toEvent(
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: AuditEntry['outcome'],
): AuditEvent {
  const { principal, method, url, id, audited } = request;
  const location = reply.getHeader('location');
  return {
    // There is none before it is known who asks.
    principal,
    source: audited.source,
    method,
    path: url.split('?', 1)[0]!,
    outcome,
    status: outcome === 'unfinished' ? undefined : reply.statusCode,
    code: audited.code,
    version: audited.version,
    location: typeof location === 'string' ? location : undefined,
    requestId: id,
  };
}
