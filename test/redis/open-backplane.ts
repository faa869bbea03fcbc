/** A connected Redis backplane for tests. */
import {
  createRedisBackplane,
  type RedisBackplane,
  type RedisBackplaneOptions,
} from '../../src/mesh/backplane/redis/redis-backplane.ts';
import type { RedisTarget } from '../../src/mesh/backplane/redis/redis-target.ts';
import { CLOCK, SILENT } from '../contracts/backplane-fixture.ts';

export async function openRedisBackplane(
  target: RedisTarget,
  options: Partial<RedisBackplaneOptions> = {},
): Promise<RedisBackplane> {
  const environment = { clock: CLOCK, log: SILENT, random: Math.random };
  const backplane = createRedisBackplane({ target, ...environment, ...options });
  await backplane.start();
  return backplane;
}

export function singleTarget(port: number): RedisTarget {
  return { topology: { type: 'single', host: '127.0.0.1', port } };
}
