/** A node's part in the mesh as the program consumes it: its backplane, what it registers, its outbound door. */
import type { HealthCheckConfig } from './balancer-config.ts';
import type { AddressConfig } from './config.ts';
import type { PeerTls } from './service-config.ts';

export interface BackplaneConfig {
  /** Undefined: embedded, in the data directory. */
  readonly redis: RedisConfig | undefined;
  readonly namespace: string;
}

export type RedisConfig = {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: PeerTls | undefined;
} & (
  | {
      readonly kind: 'single';
      /** As the file has it: what stands in it goes before `username` and `password`. */
      readonly url: string;
    }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly AddressConfig[];
      /** Of the master group. */
      readonly name: string;
      readonly sentinelUsername: string | undefined;
      readonly sentinelPassword: string | undefined;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly AddressConfig[] }
);

/** An instance beside this node. */
export interface RegistrationConfig {
  readonly service: string;
  /** Where the application listens. */
  readonly application: AddressConfig;
  /** Undefined: others call the application itself. */
  readonly inbound: AddressConfig | undefined;
  /** Undefined: worked out at start. */
  readonly advertise: AddressConfig | undefined;
  /** Undefined: the advertised address. */
  readonly id: string | undefined;
  readonly protocol: 'auto' | 'http1' | 'h2c';
  readonly weight: number;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly healthCheck: HealthCheckConfig;
}

export interface OutboundConfig extends AddressConfig {
  /** Undefined: any of the mesh. */
  readonly services: readonly string[] | undefined;
}
