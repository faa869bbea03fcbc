/** `GET /v1/mesh/{services,endpoints,nodes,topology}`: what the mesh is made of, by pages. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static, type TSchema } from 'typebox';
import { Listing, PageQuery, toPage } from '../listing.ts';
import type { Known, LastKnown } from '../views/last-known.ts';
import { MeshNode } from '../views/mesh-nodes.ts';
import { MeshEndpoint, MeshService, toMeshService } from '../views/mesh-services.ts';
import { MeshEdge } from '../views/mesh-topology.ts';
import type { MeshViews } from '../views/mesh-views.ts';
import { refusals } from './refusals.ts';

const EndpointQuery = Type.Object(
  {
    ...PageQuery,
    service: Type.Optional(Type.String({ description: 'Of this service alone.' })),
    node: Type.Optional(Type.String({ description: 'Registered by this node alone.' })),
  },
  { additionalProperties: false },
);
const ListQuery = Type.Object(PageQuery, { additionalProperties: false });

interface Collection<View, Item> {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly item: TSchema;
  /** `ListQuery`, or with filters. */
  readonly query: TSchema;
  readonly view: LastKnown<View>;
  readonly itemsOf: (view: View, query: Static<typeof EndpointQuery>) => readonly Item[];
  /** Items are in its order. */
  readonly keyOf: (item: Item) => string;
}

export function addMeshListings(app: FastifyInstance, views: MeshViews): void {
  addListing(app, {
    path: '/v1/mesh/services',
    operationId: 'listMeshServices',
    summary: 'Services of the mesh, with the states of their endpoints in numbers.',
    item: MeshService,
    query: ListQuery,
    view: views.services,
    itemsOf: (services) => services,
    keyOf: ({ name }) => name,
    toItem: toMeshService,
  });
  addListing(app, {
    path: '/v1/mesh/endpoints',
    operationId: 'listMeshEndpoints',
    summary: 'Endpoints of all services, by service and id.',
    item: MeshEndpoint,
    query: EndpointQuery,
    view: views.services,
    itemsOf: (services, { service, node }) =>
      services
        .filter(({ name }) => service === undefined || name === service)
        .flatMap(({ endpoints }) => endpoints)
        .filter((endpoint) => node === undefined || endpoint.node === node),
    keyOf: ({ service, id }) => `${service}\0${id}`,
  });
  addListing(app, {
    path: '/v1/mesh/nodes',
    operationId: 'listMeshNodes',
    summary: 'Nodes that share the backplane and are alive.',
    item: MeshNode,
    query: ListQuery,
    view: views.nodes,
    itemsOf: (nodes) => nodes,
    keyOf: ({ name }) => name,
  });
  addListing(app, {
    path: '/v1/mesh/topology',
    operationId: 'listMeshTopology',
    summary: 'Who calls whom, how often, how well and how fast.',
    item: MeshEdge,
    query: ListQuery,
    view: views.topology,
    itemsOf: (edges) => edges,
    keyOf: ({ source, destination }) => `${source}\0${destination}`,
  });
}

function addListing<View, Item>(
  app: FastifyInstance,
  collection: Collection<View, Item> & {
    /** What is shown of an item that is on the page; default: itself. */
    readonly toItem?: (item: Item) => unknown;
  },
): void {
  const { path, operationId, summary, item, query, view, itemsOf, keyOf } = collection;
  const { toItem = (found: Item): unknown => found } = collection;
  app.get<{ Querystring: Static<typeof EndpointQuery> }>(
    path,
    {
      schema: {
        operationId,
        summary,
        querystring: query,
        response: { 200: Listing(item), ...refusals(401, 421, 422, 503) },
      } as object,
    },
    async (request) => {
      const { value, ageMs } = await view.get();
      const page = toPage(itemsOf(value, request.query), keyOf, request.query);
      return {
        items: page.items.map(toItem),
        next_cursor: page.next_cursor,
        staleness_seconds: toSeconds(ageMs),
      };
    },
  );
}

function toSeconds(ageMs: Known<unknown>['ageMs']): number {
  return Math.round(ageMs / 100) / 10;
}
