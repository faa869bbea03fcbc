/** Where the admin API of a node is asked, or why it cannot be: a pure decision. */
import { parseAdminAddress } from '../../mesh/node/admin-address.ts';
import { AdminError } from '../problem.ts';
import type { MeshNode } from '../views/mesh-nodes.ts';

export interface Surroundings {
  readonly nodes: readonly MeshNode[];
  /** Names of nodes that fell silent. */
  readonly lost: readonly string[];
  /** Of the device that this node sees. */
  readonly loopback: string;
}

/** An origin, `http://10.0.0.1:8001`. Throws an `AdminError` that says what to do. */
export function findNode(name: string, { nodes, lost, loopback }: Surroundings): string {
  const node = nodes.find((one) => one.name === name);
  if (node === undefined) {
    if (lost.includes(name)) {
      throw new AdminError(503, 'node_unavailable', `The node "${name}" fell silent.`);
    }
    throw new AdminError(
      404,
      'not_found',
      `There is no node "${name}"; /v1/mesh/nodes lists those that there are.`,
    );
  }
  const admin = parseAdminAddress(node);
  if (admin === undefined) {
    throw new AdminError(
      502,
      'node_unreachable',
      `The admin API of the node "${name}" is closed; the log of that node tells why.`,
    );
  }
  if (admin.loopback !== undefined && admin.loopback !== loopback) {
    throw new AdminError(
      502,
      'node_unreachable',
      `The admin API of the node "${name}" listens on ${admin.address}, where no other machine reaches it. Set \`admin: { address: 0.0.0.0:8001 }\`, or an address of its own, in the configuration file of that node and restart it, if the network in between is trusted: there is no TLS.`,
    );
  }
  return `http://${admin.address}`;
}
