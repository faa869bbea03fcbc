/** `GET /v1/audit`: who changed what, and who was refused what. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { AUDIT_DAYS } from '../access/audit-days.ts';
import { AuditEntry } from '../access/audit-entry.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { DEFAULT_PAGE_SIZE, Listing, PageQuery, parseCursor, toCursor } from '../listing.ts';
import { AdminError } from '../problem.ts';
import { refusals } from './refusals.ts';

const TIME = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})$';

const AuditQuery = Type.Object(
  {
    ...PageQuery,
    author: Type.Optional(Type.String({ description: 'Of the token of this name alone.' })),
    path: Type.Optional(Type.String({ description: 'Of paths that begin so alone.' })),
    outcome: Type.Optional(AuditEntry.properties.outcome),
    since: Type.Optional(Type.String({ pattern: TIME, description: 'RFC 3339; included.' })),
    until: Type.Optional(Type.String({ pattern: TIME, description: 'RFC 3339; excluded.' })),
  },
  { additionalProperties: false },
);

const AuditListing = Type.Object(
  {
    ...Listing(AuditEntry).properties,
    dropped: Type.Integer({
      description:
        'Entries that the node which answers could not keep since it was started: they are in its log alone.',
    }),
  },
  { description: 'A page may be short, or empty, and yet have a `next_cursor`.' },
);

const JSON_LINES = 'application/x-ndjson';
const CURSOR = /^[0-9]{13}(?:-[0-9a-f]{6}-[0-9a-f]{8}-[wr])?$/;

export function addAudit(app: FastifyInstance, audit: AuditLog): void {
  app.get<{ Querystring: Static<typeof AuditQuery> }>(
    '/v1/audit',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'listAudit',
        summary: `Writes and refusals of the last ${AUDIT_DAYS} days, the newest first.`,
        description: `With \`Accept: ${JSON_LINES}\`: one entry a line, and the next page in \`Link\`. While the backplane cannot be asked: what this node recorded itself.`,
        tags: ['audit'],
        querystring: AuditQuery,
        response: {
          200: {
            description: 'A page.',
            content: {
              'application/json': { schema: AuditListing },
              [JSON_LINES]: { schema: AuditEntry },
            },
          },
          ...refusals(401, 403, 421, 422, 429),
        },
      } as object,
    },
    async (request, reply) => {
      const { query } = request;
      const { author, path = '', outcome, page_size: limit = DEFAULT_PAGE_SIZE } = query;
      const { entries, next, stalenessMs } = await audit.page({
        before: query.cursor === undefined ? undefined : parseCursor(query.cursor, CURSOR),
        sinceMs: toTimeMs(query.since, 'since'),
        untilMs: toTimeMs(query.until, 'until'),
        limit,
        fits: (entry) =>
          (author === undefined || entry.author === author) &&
          (outcome === undefined || entry.outcome === outcome) &&
          entry.path.startsWith(path),
      });
      const cursor = next === undefined ? null : toCursor(next);
      if (wantsLines(request.headers.accept)) {
        if (cursor !== null) reply.header('link', toLink(request.url, cursor));
        // A text would be given a charset, which the type does not have.
        const lines = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
        return reply.type(JSON_LINES).send(lines);
      }
      return {
        items: entries,
        next_cursor: cursor,
        staleness_seconds: Math.ceil(stalenessMs / 100) / 10,
        dropped: audit.dropped,
      };
    },
  );
}

/** Only who names them gets them: `*` and what a browser sends mean JSON. */
function wantsLines(accept: string | undefined): boolean {
  return (
    accept
      ?.toLowerCase()
      .split(',')
      .some((one) => one.split(';', 1)[0]!.trim() === JSON_LINES) === true
  );
}

/** RFC 8288. */
function toLink(url: string, cursor: string): string {
  const [path, search = ''] = url.split('?', 2);
  const query = new URLSearchParams(search);
  query.set('cursor', cursor);
  return `<${path}?${query.toString()}>; rel="next"`;
}

function toTimeMs(text: string | undefined, parameter: string): number | undefined {
  if (text === undefined) return undefined;
  const atMs = Date.parse(text);
  if (!Number.isNaN(atMs)) return atMs;
  throw new AdminError(422, 'invalid', 'The request is not valid.', [
    { detail: 'is no time of RFC 3339', parameter },
  ]);
}
