/** Which nodes a view of the mesh has the word of, and which were silent. */
import { Type, type Static } from 'typebox';

export const NodeCoverage = Type.Object(
  {
    included: Type.Array(Type.String()),
    missing: Type.Array(Type.String(), {
      description:
        'Nodes that are there and have not told of it yet, and nodes that fell silent in the last ten minutes without saying goodbye.',
    }),
  },
  { description: 'Names of the nodes that this includes, and of those that it should.' },
);

export type NodeCoverage = Static<typeof NodeCoverage>;

export function toCoverage(nodes: {
  readonly told: readonly string[];
  readonly live: readonly string[];
  readonly lost: readonly string[];
}): NodeCoverage {
  const { told, live, lost } = nodes;
  const included = new Set(told);
  // Lost ones may just have come back.
  const missing = new Set([...live, ...lost.filter((name) => !live.includes(name))]);
  return {
    included: [...included].toSorted(),
    missing: [...missing].filter((name) => !included.has(name)).toSorted(),
  };
}
