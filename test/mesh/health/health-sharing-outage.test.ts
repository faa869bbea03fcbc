import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RedisBackplane } from '../../../src/mesh/backplane/redis/redis-backplane.ts';
import { untilConnected } from '../../redis/mesh-nodes.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { answer, answerMixed, endpointOf, SharingNodes } from './sharing-nodes.ts';

const WAIT = { timeout: 25_000, interval: 5 };

let redis: RedisProcess;
let backplanes: readonly RedisBackplane[];
let nodes: SharingNodes;
let unhandled: unknown[];
const noteUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeEach(async () => {
  unhandled = [];
  process.on('unhandledRejection', noteUnhandled);
  redis = await RedisProcess.start();
  const target = singleTarget(redis.port);
  backplanes = await Promise.all(Array.from({ length: 5 }, () => openRedisBackplane(target)));
  nodes = new SharingNodes(backplanes, { endpoints: ['a', 'b', 'c', 'd'], checkEveryMs: 100 });
  nodes.start();
});
afterEach(async () => {
  await nodes.stop();
  await Promise.all(backplanes.map((backplane) => backplane.close()));
  await redis.stop();
  process.off('unhandledRejection', noteUnhandled);
});

it('decides alone while Redis is gone, keeps the factors, and shares again when it is back', async () => {
  const { all } = nodes;
  const serve = (failures: number): void => {
    for (const node of all) {
      for (const id of ['b', 'c', 'd']) answer(node, id, 200, 100);
      answerMixed(node, 'a', { requests: 100, failures });
    }
  };
  serve(12);
  await vi.waitUntil(() => all.every((node) => endpointOf(node, 'a').factor < 1), WAIT);

  await redis.kill();
  await Promise.all(backplanes.map((backplane) => untilConnected(backplane, false)));
  for (const node of all.slice(0, 3)) {
    answer(node, 'b', 500, 5);
    expect(endpointOf(node, 'b').ejected).toBe(true);
  }
  // A check brings it back, and this node does it itself now.
  await vi.waitUntil(() => all.every((node) => !endpointOf(node, 'b').ejected), WAIT);
  const [kept] = all.map((node) => endpointOf(node, 'a').factor);
  expect(all.every((node) => endpointOf(node, 'a').factor === kept)).toBe(true);

  nodes.ill.add('b');
  for (const node of all.slice(0, 3)) answer(node, 'b', 500, 5);
  await redis.start();
  await Promise.all(backplanes.map((backplane) => untilConnected(backplane)));
  serve(12);
  await vi.waitUntil(() => all.every((node) => !endpointOf(node, 'b').healthy), WAIT);
  await vi.waitUntil(
    () => all.slice(3).every((node) => endpointOf(node, 'b').ejectedByQuorum),
    WAIT,
  );
  // The store was emptied: nobody takes that for "all is well".
  await vi.waitUntil(() => all.every((node) => endpointOf(node, 'a').factor < kept!), WAIT);
  for (const { moves } of all) {
    const ofA = moves.filter(({ endpoint }) => endpoint === 'a').map(({ factor }) => factor);
    expect(ofA).toEqual(ofA.toSorted((one, other) => other - one));
  }
  expect(unhandled).toEqual([]);
});
