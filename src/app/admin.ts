/** The admin API of this node. Traffic does not go without a node because its operators cannot ask it. */
import { createAdminServer } from '../admin/admin-server.ts';
import type { Config } from '../gateway/config/config.ts';
import { toListenError } from '../gateway/listener/listen-error.ts';
import type { MeshNode } from '../mesh/node/mesh-node.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';

export interface Admin {
  /** Where the address cannot be had the log tells, and the API stays closed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createAdmin(
  { admin: address, dataDir }: Config,
  { registry, backplane, nodeId: node }: MeshNode,
  clock: Clock,
  log: Log,
): Admin {
  const server = createAdminServer({ address, registry, backplane, dataDir, node, clock, log });
  return {
    async start() {
      await server.start().catch((error: unknown) => {
        const place = { name: 'admin', ...address };
        const { message } = toListenError(error as NodeJS.ErrnoException, place);
        log.warn({ reason: message }, 'the admin API is closed');
      });
    },
    stop: () => server.stop(),
  };
}
