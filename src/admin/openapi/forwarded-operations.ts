/** Operations of another node, as this one passes them on: each of its own again, below the name of the node. */
import type { Operation } from './operations.ts';
import type { Schema, Schemas } from './schemas.ts';

/** What this node refuses itself, beside what the other one does. */
const REFUSALS = [401, 404, 421, 429, 502, 503, 504, 508];

const NODE_PARAMETER: Schema = {
  name: 'node',
  in: 'path',
  required: true,
  description: 'Name of the node that is asked, as `/v1/mesh/nodes` lists it.',
  schema: { type: 'string' },
};

/** Generated clients escape the slashes of a parameter: one path for all would be of no use to them. */
export function toForwarded(
  { path, method, definition }: Operation,
  schemas: Pick<Schemas, 'toRefusal'>,
): Operation {
  const { operationId, summary, description, tags: _, parameters, responses, ...rest } = definition;
  const refusals = REFUSALS.map((status): [string, Schema] => [
    String(status),
    { $ref: schemas.toRefusal(status) },
  ]);
  return {
    path: path.replace(/^\/v1\//, '/v1/nodes/{node}/'),
    method,
    definition: {
      operationId: `${operationId as string}OfNode`,
      summary,
      ...(description !== undefined && { description }),
      tags: ['nodes'],
      ...rest,
      parameters: [NODE_PARAMETER, ...((parameters ?? []) as readonly Schema[])],
      responses: { ...Object.fromEntries(refusals), ...(responses as Schema) },
    },
  };
}
