/** What all services of this node are made with: its clock, its part in the mesh, its metrics and its share of sockets. */
import type { Config } from '../gateway/config/config.ts';
import type { ServiceSurroundings } from '../gateway/config/create-service.ts';
import { createStickyKey } from '../gateway/config/sticky-key.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import { createHealthLog } from '../mesh/service/health-log.ts';
import type { SocketShare } from '../mesh/transport/socket-budget.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { Mesh } from './mesh.ts';

export interface ServiceSurroundingsParts {
  readonly config: Config;
  readonly mesh: Mesh;
  readonly metrics: Pick<GatewayMetrics, 'retried' | 'ejected'>;
  /** For connections to upstreams. */
  readonly sockets: SocketShare;
  /** Milliseconds. */
  readonly monotonic: () => number;
  /** Milliseconds of the wall clock. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

export function createServiceSurroundings(parts: ServiceSurroundingsParts): ServiceSurroundings {
  const { config, mesh, metrics, sockets, monotonic, now, random, log } = parts;
  return {
    environment: {
      monotonic,
      now,
      random,
      zone: config.node.zone,
      isOwnCheck: (service, endpoint) => mesh.sharing.isOwnCheck(service, endpoint),
      onRetry: (service, reason) => metrics.retried(service, reason),
      onEjection: (service, reason) => metrics.ejected(service, reason),
      onHealthEvent: createHealthLog(log),
      topology: mesh.topology,
      sockets,
    },
    log,
    stickyKey: createStickyKey(config.dataDir, log),
    meshSource: (service) => mesh.node.sourceOf(service),
  };
}
