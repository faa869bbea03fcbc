/** `GET /v1/{services,routes,consumers,plugins,certificates}`: what is configured, by pages. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { serviceReferencesOf } from '../../gateway/config/service-references.ts';
import {
  listEntries,
  type EntryKind,
  type SharedEntry,
} from '../../gateway/config/shared-entries.ts';
import type { JsonObject } from '../../mesh/backplane/json-object.ts';
import type { Desk } from '../configuration-desk.ts';
import { Listing, PageQuery, toPage } from '../listing.ts';
import { isInScope } from '../access/scope.ts';
import { readDesk, sendFacts } from './answers.ts';
import { labelsOf, toScoped } from './entry-scope.ts';
import { ENTRY_RESOURCES, type EntryResource } from './entry-resources.ts';
import { toStalenessSeconds } from '../views/last-known.ts';
import { refusals } from './refusals.ts';
import { toShownEntries, type Showing } from './shown-entries.ts';

const LABEL = '[^=,]+(=[^,]*)?';

const Filters = {
  ...PageQuery,
  name: Type.Optional(Type.String({ description: 'Names that begin so.' })),
  label: Type.Optional(
    Type.String({
      pattern: `^${LABEL}(,${LABEL})*$`,
      description: '`key=value`, or `key` for any value; of several, with commas, all.',
    }),
  ),
};
const ListQuery = Type.Object(Filters, { additionalProperties: false });
const RouteQuery = Type.Object(
  {
    ...Filters,
    service: Type.Optional(Type.String({ description: 'Routes that name this service.' })),
  },
  { additionalProperties: false },
);
type Query = Static<typeof RouteQuery>;

export function addSharedEntryListings(
  app: FastifyInstance,
  { desk, ...showing }: Showing & { readonly desk: Desk },
): void {
  for (const resource of ENTRY_RESOURCES) addListing(app, resource, desk, showing);
}

function addListing(
  app: FastifyInstance,
  { kind, plural, schema, noun }: EntryResource,
  desk: Desk,
  showing: Showing,
): void {
  app.get<{ Querystring: Query }>(
    `/v1/${kind}`,
    {
      schema: {
        operationId: `list${plural}`,
        summary: `The ${noun}s of the configuration, by name.`,
        tags: [kind],
        querystring: kind === 'routes' ? RouteQuery : ListQuery,
        response: { 200: Listing(schema), ...refusals(401, 421, 422, 429, 503) },
      } as object,
      config: { role: 'viewer', isScoped: true },
    },
    async (request, reply) => {
      const { scope } = request.principal;
      const reading = await readDesk(desk);
      const entries = listEntries(reading.document, kind)
        .filter((entry) => isWanted(kind, entry, request.query))
        .filter(({ name, value }) => isInScope(scope, kind, toScoped(kind, name, value)))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const page = toPage(entries, ({ name }) => name, request.query);
      sendFacts(reply, reading);
      return reply.send({
        items: toShownEntries(showing, kind, page.items),
        next_cursor: page.next_cursor,
        staleness_seconds: toStalenessSeconds(reading.stalenessMs),
      });
    },
  );
}

function isWanted(kind: EntryKind, { name, value }: SharedEntry, query: Query): boolean {
  if (query.name !== undefined && !name.startsWith(query.name)) return false;
  const { label, service } = query;
  if (service !== undefined) {
    const names = serviceReferencesOf(value as JsonObject);
    if (!names.some((reference) => reference.service === service)) return false;
  }
  if (label === undefined) return true;
  const labels = labelsOf(kind, value);
  return label.split(',').every((wanted) => {
    const at = wanted.indexOf('=');
    const key = at === -1 ? wanted : wanted.slice(0, at);
    if (!Object.hasOwn(labels, key)) return false;
    return at === -1 || labels[key] === wanted.slice(at + 1);
  });
}
