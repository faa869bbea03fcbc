/** Health check configuration → the way of asking. */
import { createProbe as createMeshProbe } from '../../mesh/health/create-probe.ts';
import type { Probe } from '../../mesh/health/probe.ts';
import type { ServiceProtocol } from '../../mesh/service/endpoint-upstreams.ts';
import type { UpstreamTls } from '../../mesh/transport/upstream.ts';
import type { HealthCheckConfig } from './balancer-config.ts';

/** How what is looked at is reached. */
export interface Reached {
  readonly protocol: ServiceProtocol;
  readonly tls?: UpstreamTls;
}

export function createProbe(check: HealthCheckConfig, reached: Reached): Probe {
  const { protocol, ...rest } = reached;
  // Where both are spoken, it is up to the question.
  const auto = check.by.kind === 'grpc' ? 'h2c' : 'http1';
  return createMeshProbe(check, { ...rest, protocol: protocol === 'auto' ? auto : protocol });
}
