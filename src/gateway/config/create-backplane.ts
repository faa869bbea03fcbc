/** Backplane configuration → the backplane: embedded in the data directory, or a Redis. */
import { join } from 'node:path';
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import { createEmbeddedBackplane } from '../../mesh/backplane/embedded/embedded-backplane.ts';
import {
  createRedisBackplane,
  type RedisBackplane,
} from '../../mesh/backplane/redis/redis-backplane.ts';
import {
  firstAddressOf,
  parseRedisUrl,
  toRedisTls,
  type RedisTarget,
} from '../../mesh/backplane/redis/redis-target.ts';
import type { Destination } from '../../mesh/node/advertised-host.ts';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import type { Config } from './config.ts';
import type { RedisConfig } from './mesh-config.ts';
import { readPeerTls } from './read-peer-tls.ts';

export interface BackplaneSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface OwnBackplane {
  readonly backplane: Backplane;
  /** The same one, where it is Redis. */
  readonly redis: RedisBackplane | undefined;
  /** Where it is reached; undefined where that is this machine alone. */
  readonly destination: Destination | undefined;
}

/** Throws where a certificate file that was there at the check is gone. */
export function createBackplane(
  { backplane: { redis, namespace }, dataDir }: Pick<Config, 'backplane' | 'dataDir'>,
  surroundings: BackplaneSurroundings,
): OwnBackplane {
  if (redis === undefined) {
    const directory = join(dataDir, 'backplane');
    const backplane = createEmbeddedBackplane({ directory, ...surroundings });
    return { backplane, redis: undefined, destination: undefined };
  }
  const target = toTarget(redis);
  const backplane = createRedisBackplane({ target, namespace, ...surroundings });
  return { backplane, redis: backplane, destination: firstAddressOf(target) };
}

function toTarget(config: RedisConfig): RedisTarget {
  const { username, password } = config;
  const access = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(config.tls !== undefined && { tls: toRedisTls(readPeerTls(config.tls)) }),
  };
  switch (config.kind) {
    case 'single':
      return { ...access, ...parseRedisUrl(config.url), ...(access.tls && { tls: access.tls }) };
    case 'sentinel': {
      const { sentinels, name, sentinelUsername, sentinelPassword } = config;
      const topology = { sentinels, name, sentinelUsername, sentinelPassword };
      return {
        ...access,
        topology: { type: 'sentinel', ...topology, sentinelTls: access.tls },
      };
    }
    case 'cluster':
      return { ...access, topology: { type: 'cluster', nodes: config.nodes } };
    default:
      return config satisfies never;
  }
}
