/** The ways of asking an endpoint how it is, by name. */
import { createGrpcProbe } from './grpc-probe.ts';
import { createHttpProbe } from './http-probe.ts';
import type { Probe, ProbeProtocol } from './probe.ts';
import { probeTcp } from './tcp-probe.ts';

export type CheckKind =
  | {
      readonly kind: 'http';
      readonly path: string;
      /** Undefined: the endpoint's address. */
      readonly host: string | undefined;
    }
  | { readonly kind: 'tcp' }
  /** `service` empty: the server as a whole. */
  | { readonly kind: 'grpc'; readonly service: string };

export function createProbe({ by }: { readonly by: CheckKind }, protocol: ProbeProtocol): Probe {
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
