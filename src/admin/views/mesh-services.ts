/** The mesh's services and their endpoints: who registered, what operators decided, what nodes see of them. */
import { Type, type Static } from 'typebox';
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import { toEndpointId } from '../../mesh/endpoint.ts';
import { HeardHealth } from '../../mesh/health/heard-health.ts';
import { healthSpaceOf } from '../../mesh/health/service-share.ts';
import type { Instance } from '../../mesh/registry/instance.ts';
import { NO_OVERRIDE, type Override } from '../../mesh/registry/override.ts';
import type { Registry } from '../../mesh/registry/registry.ts';
import { Nullable } from '../listing.ts';

const EndpointState = Type.Enum(['healthy', 'unhealthy', 'ejected', 'draining', 'absent'], {
  description:
    '`unhealthy`: it fails the checks of a node. `ejected`: a node put it aside. `draining`: it takes no new requests. `absent`: an operator decided about it, and it is not registered.',
});

export const MeshEndpoint = Type.Object(
  {
    service: Type.String(),
    id: Type.String(),
    address: Nullable(Type.String({ description: '`host:port`.' })),
    zone: Nullable(Type.String()),
    metadata: Type.Record(Type.String(), Type.String()),
    priority: Type.Integer({ description: 'Lower is preferred.' }),
    node: Nullable(Type.String({ description: 'The node that registered it.' })),
    weight: Type.Number({ description: "In force: the operator's, else the registered one." }),
    registered_weight: Nullable(Type.Number()),
    operator_weight: Nullable(Type.Number()),
    factor: Type.Number({
      description: 'What adaptive weights leave of the weight, 0.1 to 1.',
    }),
    factor_reason: Nullable(Type.String()),
    draining: Type.Boolean(),
    operator_drain: Type.Boolean({ description: 'An operator drained it.' }),
    state: EndpointState,
    failing: Type.Array(Type.Object({ node: Type.String(), detail: Type.String() }), {
      description: 'Nodes whose checks it fails, and what these say.',
    }),
    ejected_by: Type.Array(Type.String(), { description: 'Nodes that put it aside.' }),
  },
  { description: 'An endpoint as the mesh knows it.' },
);

export type MeshEndpoint = Static<typeof MeshEndpoint>;

export const MeshService = Type.Object(
  {
    name: Type.String(),
    endpoints: Type.Object(
      {
        total: Type.Integer(),
        healthy: Type.Integer(),
        unhealthy: Type.Integer(),
        ejected: Type.Integer(),
        draining: Type.Integer(),
        absent: Type.Integer(),
      },
      { description: 'How many there are, by state.' },
    ),
    zones: Type.Array(Type.String()),
  },
  { description: 'A service of the mesh, in short.' },
);

/** A service with its endpoints, in the order of their ids. */
export interface ServiceEndpoints {
  readonly name: string;
  readonly endpoints: readonly MeshEndpoint[];
}

/** What is told of an endpoint that may not be registered. */
export interface EndpointFacts {
  readonly service: string;
  readonly id: string;
  readonly instance: Instance | undefined;
  readonly heard: Pick<HeardHealth, 'hints' | 'factors'>;
}

/** In the order of names. Asks the store; rejects with a `BackplaneError`. */
export async function readServices(
  registry: Registry,
  backplane: Backplane,
): Promise<readonly ServiceEndpoints[]> {
  const names = await registry.services();
  return Promise.all(
    names.map(async (name) => {
      const { overrides, facts } = await readFacts(registry, backplane, name);
      const endpoints = facts.map((one) => toMeshEndpoint(one, overrides.get(one.id)));
      return { name, endpoints };
    }),
  );
}

/** Throws a TypeError for a name that cannot be a service's. */
export async function readFacts(
  registry: Registry,
  backplane: Backplane,
  service: string,
): Promise<{
  readonly overrides: ReadonlyMap<string, Override>;
  readonly facts: readonly EndpointFacts[];
}> {
  const [{ instances, overrides }, health] = await Promise.all([
    registry.read({ service, includeDraining: true }),
    backplane.read(healthSpaceOf(service)!),
  ]);
  const heard = new HeardHealth();
  heard.hear(health);
  const known = new Map<string, Instance | undefined>();
  for (const id of overrides.keys()) known.set(id, undefined);
  for (const instance of instances) known.set(instance.id, instance);
  const facts = [...known].map(([id, instance]) => ({ service, id, instance, heard }));
  return { overrides, facts: facts.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

export function toMeshEndpoint(
  { service, id, instance, heard }: EndpointFacts,
  { weight, drain }: Override = NO_OVERRIDE,
): MeshEndpoint {
  const draining = drain || instance?.draining === true;
  const said = heard.hints.filter(({ ejected, failing }) => ejected.has(id) || failing.has(id));
  const failing = said.filter((hint) => hint.failing.has(id));
  const ejectedBy = said.filter((hint) => hint.ejected.has(id)).map(({ node }) => node);
  const { factor, reason } = heard.factors.get(id) ?? { factor: 1, reason: null };
  return {
    service,
    id,
    address: instance === undefined ? null : toEndpointId(instance.host, instance.port),
    zone: instance?.zone ?? null,
    metadata: { ...instance?.metadata },
    priority: instance?.priority ?? 0,
    node: instance?.node ?? null,
    weight: weight ?? instance?.weight ?? 0,
    registered_weight: instance?.weight ?? null,
    operator_weight: weight ?? null,
    factor,
    factor_reason: reason,
    draining,
    operator_drain: drain,
    state: toState(instance, draining, failing.length > 0, ejectedBy.length > 0),
    failing: failing.map((hint) => ({ node: hint.node, detail: hint.failing.get(id)! })),
    // Two services of a node may be one in the mesh.
    ejected_by: [...new Set(ejectedBy)].toSorted(),
  };
}

function toState(
  instance: Instance | undefined,
  isDraining: boolean,
  isFailing: boolean,
  isEjected: boolean,
): MeshEndpoint['state'] {
  if (instance === undefined) return 'absent';
  if (isDraining) return 'draining';
  if (isFailing) return 'unhealthy';
  return isEjected ? 'ejected' : 'healthy';
}

export function toMeshService({ name, endpoints }: ServiceEndpoints): Static<typeof MeshService> {
  const counts = { healthy: 0, unhealthy: 0, ejected: 0, draining: 0, absent: 0 };
  const zones = new Set<string>();
  for (const { state, zone } of endpoints) {
    counts[state]++;
    if (zone !== null) zones.add(zone);
  }
  return { name, endpoints: { total: endpoints.length, ...counts }, zones: [...zones].toSorted() };
}
