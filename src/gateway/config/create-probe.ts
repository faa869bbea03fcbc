/** Health check configuration → the way of asking. */
import { createGrpcProbe } from '../../mesh/health/grpc-probe.ts';
import { createHttpProbe } from '../../mesh/health/http-probe.ts';
import type { Probe, ProbeProtocol } from '../../mesh/health/probe.ts';
import { probeTcp } from '../../mesh/health/tcp-probe.ts';
import type { HealthCheckConfig } from './balancer-config.ts';

export function createProbe({ by }: HealthCheckConfig, protocol: ProbeProtocol): Probe {
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
