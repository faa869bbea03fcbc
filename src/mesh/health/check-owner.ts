/** Who of several nodes checks an endpoint: each of them works it out alone, and all agree. */
import { xxHash64 } from '../balancing/xxhash64.ts';

/**
 * Whether it is this node, by rendezvous hashing: the node with the highest hash of both names,
 * so that a node that comes or goes moves its own part of the checks alone. With several
 * `owners` the next highest check too. A node that is not among `nodes` checks everything: it
 * cannot count on being known to the others.
 * Source: D. Thaler, C. Ravishankar, "A Name-Based Mapping Scheme for Rendezvous".
 */
export function ownsCheck(
  nodeId: string,
  nodes: readonly string[],
  endpointId: string,
  owners = 1,
): boolean {
  if (!nodes.includes(nodeId)) return true;
  const own = scoreOf(nodeId, endpointId);
  let higher = 0;
  for (const node of nodes) {
    if (node === nodeId) continue;
    const score = scoreOf(node, endpointId);
    if (score > own || (score === own && node > nodeId)) higher++;
    if (higher >= owners) return false;
  }
  return true;
}

function scoreOf(nodeId: string, endpointId: string): number {
  return xxHash64(`${nodeId}\0${endpointId}`);
}
