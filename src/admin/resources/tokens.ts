/** `/v1/tokens`: who may use the admin API, made and revoked for all nodes. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Clock } from '../../plugins/sdk/plugin-context.ts';
import { LOCAL_ADMIN, ROLES } from '../access/principal.ts';
import { Scope } from '../access/scope.ts';
import { isExpired, type TokenRecord } from '../access/token-record.ts';
import type { TokenStore } from '../access/token-store.ts';
import { Listing, Nullable, PageQuery, toPage } from '../listing.ts';
import { AdminError } from '../problem.ts';
import { toStalenessSeconds } from '../views/last-known.ts';
import { refusals } from './refusals.ts';

export interface TokenDependencies {
  readonly tokens: TokenStore;
  readonly clock: Clock;
}

const DAY_SECONDS = 24 * 3_600;
const DEFAULT_EXPIRY_DAYS = 90;
const MAX_EXPIRY_DAYS = 3_650;

const Role = Type.Enum([...ROLES], {
  description:
    'Each may do what those before it may. viewer: read all but tokens and the audit log. operator: change the configuration, weights and drains. admin: tokens, the audit log, pinned versions.',
});

const TOKEN_PROPERTIES = {
  id: Type.String(),
  name: Type.String(),
  role: Role,
  scope: Nullable(Scope),
  state: Type.Enum(['active', 'expired'], {
    description: 'An expired one is shown for a week; a revoked one is not.',
  }),
  created_at: Type.String({ description: 'RFC 3339, as all times.' }),
  created_by: Type.String({ description: 'Name of the token that it was made with.' }),
  expires_at: Nullable(Type.String({ description: 'Null: never.' })),
  last_used_at: Nullable(
    Type.String({ description: 'On any node, within a minute. Null: not in the last 90 days.' }),
  ),
};

export const Token = Type.Object(TOKEN_PROPERTIES, {
  description: 'A token of the admin API; its text is not kept.',
});

export type Token = Static<typeof Token>;

export const CreatedToken = Type.Object(
  {
    ...TOKEN_PROPERTIES,
    token: Type.String({ description: 'The text of the token: shown now, and never again.' }),
  },
  { description: 'A token that was just made.' },
);

export type CreatedToken = Static<typeof CreatedToken>;

const NewToken = Type.Object(
  {
    name: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$',
      description: 'Stands as the author of what is done with it.',
    }),
    role: Role,
    scope: Type.Optional(Scope),
    expires_in_seconds: Type.Optional(
      Nullable(
        Type.Integer({
          minimum: 60,
          maximum: MAX_EXPIRY_DAYS * DAY_SECONDS,
          description: `Default: ${DEFAULT_EXPIRY_DAYS} days. Null: never.`,
        }),
      ),
    ),
  },
  { additionalProperties: false },
);

const TokenPath = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{16}$' }) });

const TokenQuery = Type.Object(
  {
    ...PageQuery,
    name: Type.Optional(Type.String({ description: 'Of names that begin so alone.' })),
    role: Type.Optional(Role),
  },
  { additionalProperties: false },
);

const TAGS = ['tokens'];

export function addTokens(app: FastifyInstance, { tokens, clock }: TokenDependencies): void {
  const config = { role: 'admin' } as const;

  function toToken(record: TokenRecord, lastUsedAtMs: number | undefined): Token {
    const { id, name, role, scope, createdAtMs, createdBy, expiresAtMs } = record;
    return {
      id,
      name,
      role,
      scope: scope ?? null,
      state: isExpired(record, clock.now()) ? 'expired' : 'active',
      created_at: toTime(createdAtMs),
      created_by: createdBy,
      expires_at: expiresAtMs === undefined ? null : toTime(expiresAtMs),
      last_used_at: lastUsedAtMs === undefined ? null : toTime(lastUsedAtMs),
    };
  }

  app.get<{ Querystring: Static<typeof TokenQuery> }>(
    '/v1/tokens',
    {
      config,
      schema: {
        operationId: 'listTokens',
        summary: 'Tokens of the admin API, by id; without the one in the data directory of a node.',
        tags: TAGS,
        querystring: TokenQuery,
        response: { 200: Listing(Token), ...refusals(401, 403, 421, 422, 429) },
      } as object,
    },
    async ({ query }) => {
      const { name: prefix = '', role } = query;
      const uses = await tokens.lastUses();
      const fitting = tokens
        .list()
        .filter((token) => token.name.startsWith(prefix) && (role ?? token.role) === token.role);
      const page = toPage(fitting, ({ id }) => id, query);
      return {
        items: page.items.map((token) => toToken(token, uses.get(token.id))),
        next_cursor: page.next_cursor,
        staleness_seconds: toStalenessSeconds(tokens.stalenessMs()),
      };
    },
  );

  app.post<{ Body: Static<typeof NewToken> }>(
    '/v1/tokens',
    {
      config,
      schema: {
        operationId: 'createToken',
        summary: 'Make a token, valid on all nodes; the answer has its text, once.',
        tags: TAGS,
        body: NewToken,
        response: {
          201: CreatedToken,
          ...refusals(400, 401, 403, 409, 413, 415, 421, 422, 429, 503),
        },
      } as object,
    },
    async ({ body, principal }, reply) => {
      assertSound(body);
      const { name, role, scope, expires_in_seconds: seconds } = body;
      const { record, text } = await tokens.create({
        name,
        role,
        scope,
        expiresAtMs: toExpiry(seconds, clock.now()),
        createdBy: principal.name,
      });
      reply.code(201).header('location', `/v1/tokens/${record.id}`);
      return { ...toToken(record, undefined), token: text };
    },
  );

  app.get<{ Params: Static<typeof TokenPath> }>(
    '/v1/tokens/:id',
    {
      config,
      schema: {
        operationId: 'getToken',
        summary: 'A token, without its text.',
        tags: TAGS,
        params: TokenPath,
        response: { 200: Token, ...refusals(401, 403, 404, 421, 422, 429) },
      } as object,
    },
    async ({ params: { id } }) => {
      const uses = await tokens.lastUses();
      const record = tokens.find(id);
      if (record === undefined) throw unknown(id);
      return toToken(record, uses.get(id));
    },
  );

  app.delete<{ Params: Static<typeof TokenPath> }>(
    '/v1/tokens/:id',
    {
      config,
      schema: {
        operationId: 'revokeToken',
        summary: 'Revoke a token, at once on all nodes, and for good.',
        tags: TAGS,
        params: TokenPath,
        response: {
          204: Type.Null({ description: 'It was revoked.' }),
          ...refusals(401, 403, 404, 421, 422, 429, 503),
        },
      } as object,
    },
    async ({ params: { id }, principal }, reply) => {
      if (!(await tokens.revoke(id, principal.name))) throw unknown(id);
      return reply.code(204).send();
    },
  );
}

/** What the schema cannot say. */
function assertSound({ name, role, scope }: Static<typeof NewToken>): void {
  const errors = [];
  if (name === LOCAL_ADMIN.name) {
    errors.push({ pointer: '#/name', detail: 'stands for the token in the data directory' });
  }
  if (role === 'admin' && scope !== undefined) {
    errors.push({ pointer: '#/scope', detail: 'cannot bind who may make other tokens' });
  }
  if (errors.length > 0) throw new AdminError(422, 'invalid', 'The request is not valid.', errors);
}

function unknown(id: string): AdminError {
  return new AdminError(404, 'not_found', `There is no token "${id}"; it may have been revoked.`);
}

function toExpiry(seconds: number | null | undefined, nowMs: number): number | undefined {
  if (seconds === null) return undefined;
  return nowMs + (seconds ?? DEFAULT_EXPIRY_DAYS * DAY_SECONDS) * 1_000;
}

function toTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
