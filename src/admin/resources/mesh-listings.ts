/** `GET /v1/mesh/{services,endpoints,nodes,topology}`: what the mesh is made of, by pages. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static, type TSchema } from 'typebox';
import { toEdges } from '../../mesh/topology/topology.ts';
import { isInScope, type Scope } from '../access/scope.ts';
import { Listing, PageQuery, toPage } from '../listing.ts';
import { toStalenessSeconds, type LastKnown } from '../views/last-known.ts';
import { MeshNode } from '../views/mesh-nodes.ts';
import {
  MeshEndpoint,
  MeshService,
  toMeshService,
  type ServiceEndpoints,
} from '../views/mesh-services.ts';
import { MeshEdge, toMeshEdge } from '../views/mesh-topology.ts';
import type { MeshView, MeshViews } from '../views/mesh-views.ts';
import { NodeCoverage } from '../views/node-coverage.ts';
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

/** The schema of a page of a mesh view. */
export function MeshListing<Item extends TSchema>(item: Item) {
  return Type.Object({ ...Listing(item).properties, nodes: NodeCoverage });
}

interface Collection<Known, Item> {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly item: TSchema;
  /** `ListQuery`, or with filters. */
  readonly query: TSchema;
  readonly view: LastKnown<MeshView<Known>>;
  readonly itemsOf: (
    known: readonly Known[],
    query: Static<typeof EndpointQuery>,
    scope: Scope | undefined,
  ) => readonly Item[];
  /** Default true: `itemsOf` leaves out what is outside the caller's scope. */
  readonly isScoped?: boolean;
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
    itemsOf: (services, _, scope) => toVisible(services, scope),
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
    itemsOf: (services, { service, node }, scope) =>
      toVisible(services, scope)
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
    isScoped: false,
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
    itemsOf: (reports, _, scope) =>
      toEdges(reports)
        .filter(({ destination }) => isInScope(scope, 'services', { name: destination }))
        .map(toMeshEdge),
    keyOf: ({ source, destination }) => `${source}\0${destination}`,
  });
}

/** An endpoint's labels are its metadata; a service is seen where its name or an endpoint is. */
function toVisible(
  services: readonly ServiceEndpoints[],
  scope: Scope | undefined,
): readonly ServiceEndpoints[] {
  if (scope === undefined) return services;
  return services
    .map(({ name, endpoints }) => ({
      name,
      endpoints: endpoints.filter(({ metadata: labels }) =>
        isInScope(scope, 'services', { name, labels }),
      ),
    }))
    .filter(
      ({ name, endpoints }) => endpoints.length > 0 || isInScope(scope, 'services', { name }),
    );
}

function addListing<Known, Item>(
  app: FastifyInstance,
  collection: Collection<Known, Item> & {
    /** What is shown of an item that is on the page; default: itself. */
    readonly toItem?: (item: Item) => unknown;
  },
): void {
  const { path, operationId, summary, item, query, view, itemsOf, keyOf } = collection;
  const { toItem = (found: Item): unknown => found, isScoped = true } = collection;
  app.get<{ Querystring: Static<typeof EndpointQuery> }>(
    path,
    {
      config: { role: 'viewer', isScoped },
      schema: {
        operationId,
        summary,
        querystring: query,
        response: {
          200: MeshListing(item),
          // A list that minds the scope leaves out what is not for the caller.
          ...refusals(401, ...(isScoped ? [] : [403]), 421, 422, 429, 503),
        },
      } as object,
    },
    async (request) => {
      const { value, ageMs } = await view.get();
      const page = toPage(
        itemsOf(value.items, request.query, request.principal.scope),
        keyOf,
        request.query,
      );
      return {
        items: page.items.map(toItem),
        next_cursor: page.next_cursor,
        staleness_seconds: toStalenessSeconds(ageMs),
        nodes: value.nodes,
      };
    },
  );
}
