/** `GET /v1/tap`: exchanges of this node as they end, as server-sent events. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { parseStatuses, STATUSES, type TapFilter } from '../../gateway/observe/tap-filter.ts';
import type { Tap } from '../../gateway/observe/tap.ts';
import type { Schedule } from '../../mesh/backplane/schedule.ts';
import type { Clock } from '../../plugins/sdk/plugin-context.ts';
import { LOCAL_ADMIN, type Principal } from '../access/principal.ts';
import { namesInScope } from '../access/scope.ts';
import { isExpired } from '../access/token-record.ts';
import type { TokenStore } from '../access/token-store.ts';
import { EVENT_STREAM } from '../event-stream.ts';
import { AdminError } from '../problem.ts';
import { createTapReaders, TAP_ENDS } from '../tap-readers.ts';
import { refusals } from './refusals.ts';

export interface TapDependencies {
  readonly tap: Tap;
  readonly tokens: Pick<TokenStore, 'find' | 'onChange'>;
  readonly clock: Clock;
  readonly schedule: Schedule;
}

const DEFAULT_RATE = 100;
const Name = (description: string) => Type.Optional(Type.String({ maxLength: 256, description }));

const TapQuery = Type.Object(
  {
    route: Name('Of this route alone.'),
    service: Name('To this service alone.'),
    consumer: Name('Of this consumer alone.'),
    status: Type.Optional(
      Type.String({
        pattern: STATUSES,
        description: '`404`, `5xx`, or several with commas between them.',
        examples: ['5xx', '404,429'],
      }),
    ),
    method: Type.Optional(Type.String({ pattern: '^[A-Za-z-]{1,32}$' })),
    path: Type.Optional(
      Type.String({ maxLength: 1_024, description: 'Of paths that begin so alone.' }),
    ),
    sample: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Share of those that fit, at random. Default: 1.',
      }),
    ),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: `Events a second; what is beyond is dropped and counted. Default: ${DEFAULT_RATE}.`,
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'The stream ends after so many events. Default: it does not.',
      }),
    ),
    query_values: Type.Optional(
      Type.Boolean({
        description:
          'Show the values of queries, but for those that look like secrets. Default: names alone.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The data of `event: exchange`; the first ones are those of the access log. */
export const TapEvent = Type.Object(
  {
    time: Type.String({ description: 'RFC 3339.' }),
    request_id: Type.String(),
    listener: Type.String(),
    client_ip: Type.String(),
    method: Type.String(),
    host: Type.String(),
    path: Type.String(),
    status: Type.Integer({ description: '499: the client left first.' }),
    duration_ms: Type.Number(),
    route: Type.String({ description: 'Empty: none fitted.' }),
    service: Type.String({ description: 'Empty: the gateway answered by itself.' }),
    query: Type.String({ description: 'With its `?`.' }),
    request_headers: Type.Record(Type.String(), Type.String(), {
      description: 'As the plugins left them, names in lower case; secrets are `(hidden)`.',
    }),
    response_headers: Type.Record(Type.String(), Type.String()),
  },
  {
    additionalProperties: true,
    description: 'An exchange: its line of the access log, its query and both heads.',
  },
);

const DESCRIPTION = `Events are \`exchange\`, with an object like this as their data; \`dropped\`, with how many exchanges the reader was not told of since (\`slow\`: it did not take them fast enough, \`rate\`: there were more a second than \`rate\`); and \`end\`, with the \`reason\`: ${TAP_ENDS.map((reason) => `\`${reason}\``).join(', ')}. A comment comes every two seconds in which there is nothing else. A token with a scope sees what goes by its routes or to its services.`;

export function addTap(app: FastifyInstance, deps: TapDependencies): void {
  const { tap, tokens, clock, schedule } = deps;
  const readers = createTapReaders(tap, schedule);
  const isGood = (id: string): boolean => {
    if (id === LOCAL_ADMIN.tokenId) return true;
    const record = tokens.find(id);
    return record !== undefined && !isExpired(record, clock.now());
  };
  const stopListening = tokens.onChange(() => readers.review());
  // Before connections are closed: who reads is told why.
  app.addHook('preClose', async () => {
    stopListening();
    readers.stop();
  });
  app.get<{ Querystring: Static<typeof TapQuery> }>(
    '/v1/tap',
    {
      // Its answer to HEAD would be a reader that nobody reads.
      exposeHeadRoute: false,
      config: { role: 'operator', isScoped: true },
      schema: {
        operationId: 'tap',
        summary: 'Watch the exchanges of this node as they end.',
        description: DESCRIPTION,
        tags: ['tap'],
        querystring: TapQuery,
        response: {
          200: {
            description: 'Server-sent events, until one side ends it.',
            content: { [EVENT_STREAM]: { schema: TapEvent } },
          },
          ...refusals(401, 403, 421, 422, 429),
        },
      } as object,
    },
    async ({ query, principal }, reply) => {
      const { tokenId } = principal;
      const { sample = 1, rate: ratePerSecond = DEFAULT_RATE, limit } = query;
      const { query_values: withQueryValues = false } = query;
      const body = readers.open(
        { filter: toFilter(query, principal), sample, ratePerSecond, limit, withQueryValues },
        () => isGood(tokenId),
      );
      if (body === undefined) {
        reply.header('retry-after', '5');
        throw new AdminError(
          429,
          'too_many_taps',
          'As many watch this node as may at a time; one of them has to end first.',
        );
      }
      // Proxies in between are to pass on each event as it comes.
      return reply.headers({ 'x-accel-buffering': 'no' }).type(EVENT_STREAM).send(body);
    },
  );
}

function toFilter(query: Static<typeof TapQuery>, { scope }: Principal): TapFilter {
  const { route, service, consumer, status, method, path } = query;
  return {
    route,
    service,
    consumer,
    method: method?.toUpperCase(),
    pathPrefix: path,
    statuses: status === undefined ? undefined : parseStatuses(status),
    visible: scope && {
      routes: namesInScope(scope, 'routes'),
      services: namesInScope(scope, 'services'),
    },
  };
}
