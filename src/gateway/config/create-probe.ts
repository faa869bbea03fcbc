/** Health check configuration → the way of asking. */
import { createGrpcProbe } from '../../mesh/health/grpc-probe.ts';
import { createHttpProbe } from '../../mesh/health/http-probe.ts';
import type { Probe } from '../../mesh/health/probe.ts';
import { probeTcp } from '../../mesh/health/tcp-probe.ts';
import type { UpstreamTls } from '../../mesh/transport/upstream.ts';
import type { ServiceProtocol } from '../../mesh/service/service.ts';
import type { HealthCheckConfig } from './balancer-config.ts';

/** How what is looked at is reached. */
export interface Reached {
  readonly protocol: ServiceProtocol;
  readonly tls?: UpstreamTls;
}

export function createProbe({ by }: HealthCheckConfig, reached: Reached): Probe {
  // Where both are spoken, it is up to the question.
  const auto = by.kind === 'grpc' ? 'h2c' : 'http1';
  const protocol = {
    ...reached,
    protocol: reached.protocol === 'auto' ? auto : reached.protocol,
  } as const;
  switch (by.kind) {
    case 'http':
      return createHttpProbe(by, protocol);
    case 'grpc':
      return createGrpcProbe(by, protocol);
    case 'tcp':
      return probeTcp;
    default:
      return by satisfies never;
  }
}
