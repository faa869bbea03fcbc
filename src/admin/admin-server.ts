/** The admin API's own server: who asks is checked first, and everything it answers is typed. */
import { randomUUID } from 'node:crypto';
import { Ajv, type ValidateFunction } from 'ajv';
import fastify, { type FastifyInstance, type FastifySchemaCompiler } from 'fastify';
import { toDataDirFailure } from '../gateway/config/file-failure.ts';
import type { Tap } from '../gateway/observe/tap.ts';
import type { Backplane } from '../mesh/backplane/backplane.ts';
import { scheduleTimer, type Schedule } from '../mesh/backplane/schedule.ts';
import type { Destination } from '../mesh/node/advertised-host.ts';
import { readLoopbackId } from '../mesh/node/admin-address.ts';
import type { Registry } from '../mesh/registry/registry.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { useAllowedMethods } from './allowed-methods.ts';
import { useAccess } from './access/access-control.ts';
import { createAttemptGuard } from './access/attempt-guard.ts';
import { useAudit } from './access/audit-hook.ts';
import { createAuditLog } from './access/audit-log.ts';
import { LOCAL_ADMIN } from './access/principal.ts';
import { createTokenStore } from './access/token-store.ts';
import { openAdminToken, type AdminToken } from './admin-token.ts';
import { forwardedRequestId, isMisdirected } from './fleet/forwarded-fields.ts';
import { addForwarding } from './fleet/forwarding.ts';
import { BODY_BYTES, toTooLarge, useBodies } from './bodies.ts';
import { answerConnectionError } from './connection-error.ts';
import { isOwnHost } from './host-guard.ts';
import { isComponentRef } from './openapi/component-ref.ts';
import { useOpenApi, type OpenApiDocument } from './openapi/openapi-document.ts';
import { AdminError, toAdminError, toProblem } from './problem.ts';
import { addAudit } from './resources/audit.ts';
import { addConfiguration } from './resources/configuration.ts';
import type { ConfigurationSources } from './resources/configuration-access.ts';
import { addEndpointOverrides } from './resources/endpoint-overrides.ts';
import { addMeshListings } from './resources/mesh-listings.ts';
import { addMeshMetrics } from './resources/mesh-metrics.ts';
import { addNodeStatus, type NodeStatus } from './resources/node-status.ts';
import { addTap } from './resources/tap.ts';
import { addTokens } from './resources/tokens.ts';
import { useUnreadBodies } from './unread-body.ts';
import { createMeshViews } from './views/mesh-views.ts';

export interface AdminServerOptions {
  /** Port 0 lets the system choose. */
  readonly address: { readonly host: string; readonly port: number };
  readonly registry: Registry;
  readonly backplane: Backplane;
  /** Where the first token is kept, and what was last known of the others. */
  readonly dataDir: string;
  /** Of a whole configuration that is sent. Default: 8 MiB. */
  readonly maxDocumentBytes?: number | undefined;
  /** Name of this node. */
  readonly node?: string | undefined;
  /** Names of nodes that fell silent; default: none. */
  readonly lostNodes?: (() => readonly string[]) | undefined;
  /** By which this node's traffic is watched. */
  readonly tap: Tap;
  /** Left out: the node has no shared configuration, and its API no resources of one. */
  readonly configuration?: ConfigurationSources | undefined;
  /** How this node is. Left out: it has nothing to tell of itself. */
  readonly status?: (() => NodeStatus) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

export interface AdminServer {
  /**
   * Rejects where the address cannot be had. Without a token nobody could ask: then it stays
   * closed, which the log tells, and resolves to undefined.
   */
  start(): Promise<(Destination & { readonly tokenFile: string }) | undefined>;
  stop(): Promise<void>;
  /** What the API is, for who reads or generates; needs no start. */
  openApi(): OpenApiDocument;
  /** Entries of the audit log that could not be kept in the backplane, since the start. */
  droppedAuditEntries(): number;
}

/** Some twenty thousand routes. */
const DEFAULT_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_HEAD_BYTES = 16 * 1024;
/** An endpoint's id has up to 256 characters, each of which may be nine when it is encoded. */
const MAX_PARAMETER_LENGTH = 256 * 9;
/** For a request to come in whole, and for a connection to have one: the callers are few and near. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { address, registry, backplane, dataDir, node, configuration } = options;
  const { status, tap, clock, log, maxDocumentBytes = DEFAULT_DOCUMENT_BYTES } = options;
  const { lostNodes = () => [], schedule = scheduleTimer } = options;
  const monotonic = (): number => clock.monotonic();
  const views = createMeshViews({ registry, backplane, lostNodes, monotonic, schedule });
  const tokens = createTokenStore({ backplane, dataDir, clock, log, schedule });
  const audit = createAuditLog({ backplane, node, clock, log, schedule });
  let token: AdminToken | undefined;

  const app = fastify({
    forceCloseConnections: true,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { maxHeaderSize: MAX_HEAD_BYTES },
    clientErrorHandler: answerConnectionError,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    genReqId: ({ headers }) => forwardedRequestId(headers) ?? randomUUID(),
  });
  app.removeContentTypeParser('text/plain');
  useValidation(app);

  useAudit(app, (event) => audit.record(event));
  useUnreadBodies(app, schedule);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': request.id,
    });
    if (!isOwnHost(request.headers.host, address.host, request.socket.localAddress)) {
      throw new AdminError(
        421,
        'misdirected_request',
        'The Host is not one of the admin API: use localhost, or the configured address.',
      );
    }
  });
  useAccess(app, {
    verify(text) {
      // Both, whichever it is: the time tells nothing.
      const shared = tokens.verify(text);
      return token?.matches(text) === true ? { principal: LOCAL_ADMIN } : shared;
    },
    onUse(id) {
      if (id !== LOCAL_ADMIN.tokenId) tokens.noteUse(id);
    },
    guard: createAttemptGuard(monotonic),
  });
  // After who asks is known: a stranger is not told which node this is.
  app.addHook('onRequest', async ({ headers }) => {
    if (!isMisdirected(headers, node)) return;
    throw new AdminError(
      421,
      'misdirected_request',
      `This is the node "${node}", and the request was forwarded to another one; ask again in a moment.`,
    );
  });

  useBodies(app);
  const allowedAt = useAllowedMethods(app);
  const openApi = useOpenApi(app, configuration?.catalogue ?? new Map());

  app.setNotFoundHandler(({ url, method }, reply) => {
    const allowed = allowedAt(url.split('?', 1)[0]!).join(', ');
    if (allowed !== '') {
      reply.header('allow', allowed);
      throw new AdminError(405, 'method_not_allowed', `${method} is none of ${allowed}.`);
    }
    throw new AdminError(404, 'not_found', 'There is nothing at this path.');
  });
  app.setErrorHandler((error, request, reply) => {
    const known = toTooLarge(error, request) ?? toAdminError(error);
    const { url } = request;
    if (known === undefined) log.error({ err: error, url }, 'the admin API failed at a request');
    const shown = known ?? new AdminError(500, 'internal', 'A fault in Meshgate; the log tells.');
    // Not there for what is refused before any hook.
    if (request.audited !== undefined) request.audited.code = shown.code;
    if (shown.status === 503) reply.header('retry-after', '1');
    const path = url.split('?', 1)[0]!;
    return reply
      .code(shown.status)
      .type('application/problem+json')
      .send(toProblem(shown, { id: request.id, path }));
  });

  if (status !== undefined) addNodeStatus(app, status);
  addMeshListings(app, views);
  addMeshMetrics(app, views);
  addTap(app, { tap, tokens, clock, schedule });
  addEndpointOverrides(app, { registry, backplane, log });
  addTokens(app, { tokens, clock });
  addAudit(app, audit);
  addForwarding(app, {
    own: node,
    nodes: async () => (await views.nodes.get()).value.items,
    lost: lostNodes,
    loopback: readLoopbackId(),
    monotonic,
  });
  if (configuration !== undefined) {
    addConfiguration(app, configuration, { schedule, maxDocumentBytes });
  }

  return {
    async start() {
      try {
        token = await openAdminToken(dataDir);
      } catch (error) {
        const reason = toDataDirFailure(error, dataDir);
        log.error({ reason }, 'there is no admin token: the admin API is closed');
        return undefined;
      }
      const { file } = token;
      if (token.isNew) log.info({ file }, 'an admin token was made');
      await tokens.start();
      // A copy: Fastify writes into what it is given.
      await app.listen({ ...address });
      views.start();
      audit.start();
      const bound = app.server.address();
      const { address: host, port } =
        typeof bound === 'object' && bound !== null
          ? bound
          : { address: address.host, port: address.port };
      return { host, port, tokenFile: file };
    },
    async stop() {
      views.stop();
      await app.close();
      await Promise.all([audit.stop(), tokens.close()]);
    },
    openApi: () => openApi.toDocument(),
    droppedAuditEntries: () => audit.dropped,
  };
}

type Check = ReturnType<FastifySchemaCompiler<unknown>>;

/** All faults of a request at once. Only what came as text, in the query, is made into numbers. */
function useValidation(app: FastifyInstance): void {
  const options = { allErrors: true, strict: false, logger: false } as const;
  const body = new Ajv(options);
  const query = new Ajv({ ...options, coerceTypes: true });
  app.setValidatorCompiler(({ schema, httpPart }) => {
    // Parts of the configuration are checked with the whole of it.
    if (isComponentRef(schema)) return () => true;
    const ajv = httpPart === 'body' ? body : query;
    // Most operations of most nodes are never called, and all of them take 30 ms at the start.
    let compiled: ValidateFunction | undefined;
    const check: Check = (data: unknown) => {
      compiled ??= ajv.compile(schema);
      const isValid = compiled(data);
      check.errors = compiled.errors ?? null;
      return isValid;
    };
    return check;
  });
  // Schemas of answers are for readers of the API; what is sent is typed where it is made.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}
