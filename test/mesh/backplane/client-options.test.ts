import { describe, expect, it } from 'vitest';
import {
  toClusterOptions,
  toRedisOptions,
} from '../../../src/mesh/backplane/redis/client-options.ts';
import type { RedisTarget } from '../../../src/mesh/backplane/redis/redis-target.ts';

const MOST = (): number => 1 - Number.EPSILON;
const ADDRESS = { host: 'h', port: 1 };
const SINGLE: RedisTarget = { topology: { type: 'single', ...ADDRESS } };
const SENTINEL: RedisTarget = {
  topology: { type: 'sentinel', name: 'm', sentinels: [ADDRESS], sentinelPassword: 's' },
  username: 'u',
  password: 'p',
  tls: { ca: 'pem' },
};
const CLUSTER: RedisTarget = {
  topology: { type: 'cluster', nodes: [ADDRESS] },
  password: 'p',
  tls: {},
};

const NEVER_WAITS_NOR_REPEATS = {
  commandTimeout: 1_000,
  connectTimeout: 2_000,
  socketTimeout: 2_000,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
};

describe('options of the Redis clients', () => {
  it.each([
    ['one server', SINGLE],
    ['Sentinel', SENTINEL],
  ])('neither queue, nor resend, nor wait: %s', (_, target) => {
    expect(toRedisOptions(target, 'n', MOST)).toMatchObject({
      ...NEVER_WAITS_NOR_REPEATS,
      enableOfflineQueue: false,
    });
  });

  it('neither queue, nor resend, nor wait: a cluster', () => {
    expect(toClusterOptions(CLUSTER, 'n', MOST)).toMatchObject({
      enableOfflineQueue: false,
      shardedSubscribers: true,
      retryDelayOnFailover: 0,
      maxRedirections: 4,
      redisOptions: NEVER_WAITS_NOR_REPEATS,
    });
  });

  it('reconnect for ever, with full jitter up to 2 s', () => {
    const { retryStrategy } = toRedisOptions(SINGLE, 'n', MOST);
    expect([1, 2, 100, 1e6].map((attempt) => Math.round(Number(retryStrategy?.(attempt))))).toEqual(
      [50, 100, 2_000, 2_000],
    );
    const { clusterRetryStrategy } = toClusterOptions(CLUSTER, 'n', () => 0.5);
    expect(clusterRetryStrategy?.(100)).toBe(1_000);
  });

  it('leave a master that has become a replica, and repeat nothing', () => {
    const { reconnectOnError } = toRedisOptions(SINGLE, 'n', MOST);
    expect(reconnectOnError?.(new Error("READONLY You can't write"))).toBe(true);
    expect(reconnectOnError?.(new Error('OOM command not allowed'))).toBe(false);
  });

  it('pass on users and TLS to where they belong', () => {
    expect(toRedisOptions(SENTINEL, 'n', MOST)).toMatchObject({
      username: 'u',
      password: 'p',
      sentinelPassword: 's',
      tls: { ca: 'pem' },
      enableTLSForSentinelMode: true,
    });
    expect(toRedisOptions(SENTINEL, 'n', MOST)).not.toHaveProperty('sentinelTLS');
    expect(toClusterOptions(CLUSTER, 'n', MOST).redisOptions).toMatchObject({
      password: 'p',
      tls: {},
    });
  });
});
