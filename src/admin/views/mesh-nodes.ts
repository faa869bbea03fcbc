/** The running Meshgates that share the backplane, as each describes itself. */
import { Type, type Static } from 'typebox';
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import { NODES_SPACE } from '../../mesh/node/presence.ts';
import { isObject } from '../../mesh/backplane/json-object.ts';

export const MeshNode = Type.Object(
  {
    name: Type.String(),
    started_at: Type.Optional(Type.String({ description: 'ISO 8601.' })),
    config: Type.Optional(
      Type.Enum(['shared', 'file', 'none'], {
        description:
          'Where it has services, routes, consumers, plugins and certificates from: the versions that nodes share, or its own file. `none`: it is a node proxy without a key to read versions with.',
      }),
    ),
  },
  {
    additionalProperties: true,
    description: 'A node; what else it has is what it says of itself.',
  },
);

export type MeshNode = Readonly<Static<typeof MeshNode>> & Readonly<Record<string, unknown>>;

/** In the order of names. Asks the store; rejects with a `BackplaneError`. */
export async function readNodes(backplane: Backplane): Promise<readonly MeshNode[]> {
  const nodes: MeshNode[] = [];
  for (const { id, value } of await backplane.reports(NODES_SPACE)) {
    // Without a description it has just said goodbye.
    if (isObject(value)) nodes.push({ ...value, name: id });
  }
  return nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
