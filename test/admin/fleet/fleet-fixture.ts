/** Several admin APIs that share a backplane, each known to the others by where it is. */
import type { AdminServerOptions } from '../../../src/admin/admin-server.ts';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import { readLoopbackId, toAdminValue } from '../../../src/mesh/node/admin-address.ts';
import { NODES_SPACE } from '../../../src/mesh/node/presence.ts';
import { createRegistry } from '../../../src/mesh/registry/registry.ts';
import { until } from '../../integration/gateway-fixture.ts';
import { startAdmin, type TestAdmin } from '../admin-fixture.ts';
import { askWith, makeToken } from '../token-fixture.ts';

export interface Fleet {
  readonly a: TestAdmin;
  readonly b: TestAdmin;
  /** Of an admin, good on all nodes. */
  readonly token: string;
}

export async function startFleet(options: Partial<AdminServerOptions> = {}): Promise<Fleet> {
  const a = await startAdmin({ node: 'a', ...options });
  const { backplane } = a;
  const b = await startAdmin({ node: 'b', backplane, registry: createRegistry(backplane) });
  await describeNode(backplane, 'a', `127.0.0.1:${a.port}`);
  await describeNode(backplane, 'b', `127.0.0.1:${b.port}`);
  const { token } = await makeToken(a, { name: 'all', role: 'admin' });
  await untilKnown(b, token);
  return { a, b, token };
}

/** A token that one node made is heard of by the others a moment later. */
export async function untilKnown(node: TestAdmin, token: string): Promise<void> {
  await until(async () => {
    const { status } = await askWith(node, token, '/v1/mesh/nodes');
    return status === 200 ? true : undefined;
  });
}

/** As the node would; on this machine's loopback unless it says otherwise, without an address closed. */
export async function describeNode(
  backplane: Backplane,
  name: string,
  address: string | undefined,
  loopback = readLoopbackId(),
): Promise<void> {
  const admin = address === undefined ? undefined : toAdminValue({ address, loopback });
  await backplane.report(NODES_SPACE, name, { name, ...(admin && { admin }) }, 600_000);
}
