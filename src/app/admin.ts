/** The admin API of this node. Traffic does not go without a node because its operators cannot ask it. */
import { createAdminServer } from '../admin/admin-server.ts';
import type { Config } from '../gateway/config/config.ts';
import { toListenError } from '../gateway/listener/listen-error.ts';
import type { Readiness } from '../gateway/status/readiness.ts';
import type { MeshNode } from '../mesh/node/mesh-node.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';
import { VERSION } from '../version.ts';

export interface Admin {
  /** Where the address cannot be had the log tells, and the API stays closed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createAdmin(
  { admin: address, dataDir, backplane: { redis } }: Config,
  { registry, backplane, nodeId: node }: MeshNode,
  readiness: Readiness,
  clock: Clock,
  log: Log,
): Admin {
  const startedAt = new Date(clock.now()).toISOString();
  const server = createAdminServer({
    address,
    registry,
    backplane,
    dataDir,
    node,
    status() {
      const report = readiness.report();
      const { last_reload: last, config_refused: refused } = report;
      const { connected, stalenessMs, reason } = backplane.status();
      return {
        node,
        version: VERSION,
        state: report.status,
        started_at: startedAt,
        configuration: {
          revision: report.revision,
          hash: report.config_hash,
          owner: report.config_owner,
          version: report.config_version,
          refused: refused === undefined ? null : { ...refused },
          missing: report.config_missing ?? null,
          last_reload: last === undefined ? null : { ...last, errors: [...last.errors] },
        },
        backplane: {
          kind: redis === undefined ? 'embedded' : 'redis',
          connected,
          staleness_seconds: Math.round(stalenessMs / 100) / 10,
          reason: reason ?? null,
        },
      };
    },
    clock,
    log,
  });
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
