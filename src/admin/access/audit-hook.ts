/** Tells the audit log of every write and every refusal, before the caller has the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEntry, AuditEvent } from './audit-entry.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a handler adds to the audit entry of its request. */
    audited: {
      /** Address of the caller: a request whose body was passed on has let go of its socket. */
      readonly source: string;
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

/** To be called before all other hooks. */
export function useAudit(app: FastifyInstance, record: (event: AuditEvent) => void): void {
  app.decorateRequest('audited');
  app.addHook('onRequest', async (request, reply) => {
    request.audited = { source: request.socket.remoteAddress ?? '' };
    if (READING.has(request.method)) return;
    // Nobody writes unseen by going away: then there may be no answer to hook into.
    reply.raw.once('close', () => {
      if (request.audited.isRecorded === true || !isWrite(request)) return;
      record(toEvent(request, reply, 'unfinished'));
    });
  });
  app.addHook('onSend', async (request, reply) => {
    const { statusCode: status } = reply;
    // Of a refusal in the server itself, which no hook has seen.
    if (request.audited === undefined || request.audited.isRecorded === true) return;
    if (!isWrite(request) && !isRefusedRead(status)) return;
    request.audited.isRecorded = true;
    record(toEvent(request, reply, toOutcome(status)));
  });
}

/** What is forwarded is one too: the other node knows what it is, but not where it came from. */
function isWrite({ method, routeOptions: { config } }: FastifyRequest): boolean {
  if (READING.has(method)) return false;
  return config.isForwarding === true || (config.role !== 'viewer' && config.isReading !== true);
}

/** That there is nothing at a path refuses nothing. */
function isRefusedRead(status: number): boolean {
  return status >= 400 && status < 500 && status !== 404;
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
