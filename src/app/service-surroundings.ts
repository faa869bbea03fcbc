/** What all services of this process are made with: its clock, its part in the mesh, its metrics and its share of sockets. */
import type { Config } from '../gateway/config/config.ts';
import type { ServiceSurroundings } from '../gateway/config/create-service.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import { createHealthLog } from '../mesh/service/health-log.ts';
import type { SocketShare } from '../mesh/transport/socket-budget.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { ControlPlane } from './data-plane.ts';

export interface ServiceSurroundingsParts {
  readonly config: Config;
  /** Asked when first needed. */
  readonly control: () => ControlPlane;
  /** Processes that share the node's limits. */
  readonly workers: number;
  /** As in `ServiceSurroundings`. */
  readonly follow: ServiceSurroundings['follow'];
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
  const { config, control, workers, follow, metrics, sockets, monotonic, now, random, log } = parts;
  return {
    environment: {
      monotonic,
      now,
      random,
      zone: config.node.zone,
      isOwnCheck: (service, endpoint) => control().isOwnCheck(service, endpoint),
      onRetry: (service, reason) => metrics.retried(service, reason),
      onEjection: (service, reason) => metrics.ejected(service, reason),
      onHealthEvent: createHealthLog(log),
      edgeTo: (destination) => control().topology.edgeTo(destination),
      sockets,
    },
    log,
    workers,
    follow,
    stickyKey: () => control().stickyKey(),
    meshSource: (service) => control().meshSource(service),
  };
}
