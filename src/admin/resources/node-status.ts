/** `GET /v1/status`: how the node that answers is: what it runs, and whether it hears of the others. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { Nullable } from '../listing.ts';
import { refusals } from './refusals.ts';

export const NodeStatus = Type.Object(
  {
    node: Type.String(),
    version: Type.String({ description: 'Of the program.' }),
    state: Type.Enum(['ready', 'starting', 'draining']),
    started_at: Type.String({ format: 'date-time' }),
    configuration: Type.Object({
      revision: Type.Integer({ description: 'How many it has applied since it started.' }),
      hash: Type.String({ description: 'SHA-256 of all of it, the shared part and its own.' }),
      shared_hash: Nullable(
        Type.String({
          description:
            'The same of the shared part alone, as this node understands it: nodes that serve the same have the same. null: the file has it.',
        }),
      ),
      owner: Type.Enum(['file', 'backplane'], {
        description: 'Whose services, routes, consumers, plugins and certificates are.',
      }),
      version: Type.Integer({ minimum: 0, description: 'Of the shared part that runs; 0: none.' }),
      refused: Nullable(
        Type.Object(
          { version: Type.Integer(), reason: Type.String() },
          { description: 'The newest version, where it cannot be used here.' },
        ),
      ),
      missing: Nullable(
        Type.String({ description: 'What there has to be before the node gets traffic.' }),
      ),
      last_reload: Nullable(
        Type.Object(
          {
            successful: Type.Boolean(),
            at: Type.String({ format: 'date-time' }),
            errors: Type.Array(Type.String()),
          },
          { description: 'After one that failed the configuration before it stays in force.' },
        ),
      ),
    }),
    workers: Nullable(
      Type.Object(
        {
          wanted: Type.Integer(),
          ready: Type.Integer({ description: 'Those that take connections.' }),
          restarts: Type.Integer({
            description:
              'Those that ended, told by nobody, and were replaced since the node started.',
          }),
        },
        { description: 'Processes that serve; null: one does everything.' },
      ),
    ),
    services: Type.Array(
      Type.Object({
        name: Type.String(),
        total: Type.Integer({ description: 'Endpoints.' }),
        healthy: Type.Integer({ description: 'Those that requests go to.' }),
        unhealthy: Type.Integer({ description: 'Fail their checks.' }),
        ejected: Type.Integer({ description: 'Put aside by outlier detection.' }),
        draining: Type.Integer(),
        checked: Type.Boolean({
          description: 'By its `healthCheck`; else what is known of it comes from requests alone.',
        }),
        routed: Type.Boolean({ description: 'A route leads to it.' }),
      }),
      { description: 'Those that it calls, static and discovered, as it sees them.' },
    ),
    backplane: Type.Object({
      kind: Type.Enum(['embedded', 'redis']),
      connected: Type.Boolean(),
      staleness_seconds: Type.Number({ description: 'Since it last answered; 0: connected.' }),
      reason: Nullable(Type.String({ description: 'Why it is not connected.' })),
    }),
  },
  { description: 'A node, as it sees itself.' },
);

export type NodeStatus = Static<typeof NodeStatus>;

export function addNodeStatus(app: FastifyInstance, status: () => NodeStatus): void {
  app.get(
    '/v1/status',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getStatus',
        summary: 'How this node is: what it runs, what came of the last reload, the backplane.',
        response: { 200: NodeStatus, ...refusals(401, 403, 421, 429) },
      },
    },
    () => status(),
  );
}
