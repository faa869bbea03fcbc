/** The admin API of this node. Traffic does not go without a node because its operators cannot ask it. */
import { createAdminServer } from '../admin/admin-server.ts';
import type { Tap } from '../gateway/observe/tap.ts';
import type { Config } from '../gateway/config/config.ts';
import { toListenError } from '../gateway/listener/listen-error.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import type { Mesh } from './mesh.ts';

export interface Admin {
  /** Where the address cannot be had the log tells, and the API stays closed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface AdminOptions {
  readonly config: Pick<Config, 'admin' | 'dataDir'>;
  readonly mesh: Pick<Mesh, 'node' | 'announceAdmin'>;
  /** By which this node's traffic is watched. */
  readonly tap: Tap;
  readonly clock: Clock;
  readonly log: Log;
}

export function createAdmin({ config, mesh, tap, clock, log }: AdminOptions): Admin {
  const { admin: address, dataDir } = config;
  const { node } = mesh;
  const { registry, backplane } = node;
  const server = createAdminServer({
    address,
    registry,
    backplane,
    dataDir,
    node: node.nodeId,
    lostNodes: () => node.lostNodes,
    tap,
    clock,
    log,
  });
  return {
    async start() {
      const started = await server.start().catch((error: unknown) => {
        const place = { name: 'admin', ...address };
        const { message } = toListenError(error as NodeJS.ErrnoException, place);
        log.warn({ reason: message }, 'the admin API is closed');
      });
      if (started) await mesh.announceAdmin(started);
    },
    stop: () => server.stop(),
  };
}
