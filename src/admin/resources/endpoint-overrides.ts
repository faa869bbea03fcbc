/** `PUT /v1/mesh/services/{service}/endpoints/{endpoint}/{weight,drain}`: what operators decide, for every node. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import type { OverrideChange } from '../../mesh/registry/override.ts';
import type { Registry } from '../../mesh/registry/registry.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Principal } from '../access/principal.ts';
import { assertInScope } from '../access/scope.ts';
import { Nullable } from '../listing.ts';
import { AdminError } from '../problem.ts';
import { MeshEndpoint, readFacts, toMeshEndpoint } from '../views/mesh-services.ts';
import { refusals } from './refusals.ts';

export interface OverrideDependencies {
  readonly registry: Registry;
  readonly backplane: Backplane;
  readonly log: Log;
}

const EndpointPath = Type.Object({
  service: Type.String({ pattern: '^[A-Za-z0-9_.-]{1,100}$' }),
  endpoint: Type.String({ minLength: 1, maxLength: 256 }),
});

const Weight = Type.Object(
  {
    weight: Nullable(
      Type.Number({
        minimum: 0,
        maximum: 1_000_000,
        description: 'In place of the registered one; 0: no share; null: the registered one again.',
      }),
    ),
  },
  { additionalProperties: false },
);

const Drain = Type.Object(
  { drain: Type.Boolean({ description: 'Whether it takes no new requests.' }) },
  { additionalProperties: false },
);

export function addEndpointOverrides(app: FastifyInstance, deps: OverrideDependencies): void {
  for (const { what, body, summary } of [
    { what: 'weight', body: Weight, summary: "Set an endpoint's weight, or take it back." },
    { what: 'drain', body: Drain, summary: 'Drain an endpoint, or take it into use again.' },
  ]) {
    app.put<{ Params: Static<typeof EndpointPath>; Body: OverrideChange }>(
      `/v1/mesh/services/:service/endpoints/:endpoint/${what}`,
      {
        config: { role: 'operator', isScoped: true },
        schema: {
          operationId: `putMeshEndpoint${what === 'weight' ? 'Weight' : 'Drain'}`,
          summary,
          params: EndpointPath,
          body,
          response: {
            200: MeshEndpoint,
            ...refusals(400, 401, 403, 404, 413, 415, 421, 422, 429, 503),
          },
        } as object,
      },
      (request) => change(deps, request.params, request.body, request.principal),
    );
  }
}

/** Nothing is kept about an endpoint that nobody knows: it would wait for one of that id to come. */
async function change(
  { registry, backplane, log }: OverrideDependencies,
  { service, endpoint: id }: Static<typeof EndpointPath>,
  change: OverrideChange,
  principal: Principal,
): Promise<MeshEndpoint> {
  const { facts } = await readFacts(registry, backplane, service);
  const labels = facts.find((one) => one.id === id)?.instance?.metadata;
  // First: whether there is such a thing is not for those it is not for.
  assertInScope(principal, 'services', { name: service, labels });
  if (facts.length === 0) {
    throw new AdminError(404, 'not_found', `The mesh has no endpoint of a service "${service}".`);
  }
  const known = facts.find((one) => one.id === id);
  if (known === undefined) {
    throw new AdminError(404, 'not_found', `The service "${service}" has no endpoint "${id}".`);
  }
  const override = await registry.override(service, id, change);
  log.info(
    { service, endpoint: id, ...change, by: principal.name },
    'an operator decided about an endpoint',
  );
  return toMeshEndpoint(known, override);
}
