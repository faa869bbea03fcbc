import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import { openEmbeddedPair, openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import {
  answer,
  answerMixed,
  endpointOf,
  SharingNodes,
  type SharingNode,
  type SharingOptions,
} from './sharing-nodes.ts';

const WAIT = { timeout: 20_000, interval: 5 };
const TEN = Array.from({ length: 10 }, (_, index) => `e${index}`);

interface Store {
  readonly backplanes: readonly Backplane[];
  close(): Promise<void>;
}

async function openEmbedded(): Promise<Store> {
  const pair = await openEmbeddedPair();
  return { backplanes: [pair.here], close: () => pair.close() };
}

async function openRedis(): Promise<Store> {
  const redis = await RedisProcess.start();
  const target = singleTarget(redis.port);
  const backplanes = await Promise.all(Array.from({ length: 5 }, () => openRedisBackplane(target)));
  return {
    backplanes,
    async close() {
      await Promise.all(backplanes.map((backplane) => backplane.close()));
      await redis.stop();
    },
  };
}

describe.each([
  ['the embedded backplane', openEmbedded],
  ['Redis', openRedis],
])('five nodes on %s', (_name, open) => {
  let store: Store;
  let nodes: SharingNodes;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await nodes.stop();
    await store.close();
  });

  function start(options: Partial<SharingOptions> = {}): readonly SharingNode[] {
    nodes = new SharingNodes(store.backplanes, { endpoints: TEN, ...options });
    nodes.start();
    return nodes.all;
  }

  /** All send requests to all, and have told so. */
  async function untilTrafficIsKnown(all: readonly SharingNode[]): Promise<void> {
    for (const node of all) for (const id of TEN) answer(node, id, 200, 10);
    await vi.waitUntil(async () => {
      const reports = await store.backplanes[0]!.reports('health:orders');
      return reports.length === all.length;
    }, WAIT);
  }

  it('suspect an endpoint that one of them puts aside, and go on using it', async () => {
    const all = start();
    await untilTrafficIsKnown(all);
    answer(all[0]!, 'e0', 500, 5);
    expect(endpointOf(all[0]!, 'e0').ejected).toBe(true);
    const others = all.slice(1);
    await vi.waitUntil(() => others.every((node) => endpointOf(node, 'e0').weight === 0.5), WAIT);
    expect(others.every((node) => !endpointOf(node, 'e0').ejected)).toBe(true);
    expect(others[0]!.sharing.factors('orders')).toEqual([
      { endpoint: 'e0', factor: 0.5, reason: 'put aside by n1' },
    ]);
    const { outliers } = all[0]!.service.health;
    outliers!.onCheckPassed(endpointOf(all[0]!, 'e0'));
    await vi.waitUntil(() => others.every((node) => endpointOf(node, 'e0').weight === 1), WAIT);
  });

  it('put aside what three of them put aside, for as long as they do', async () => {
    const all = start();
    await untilTrafficIsKnown(all);
    for (const node of all.slice(0, 2)) answer(node, 'e0', 500, 5);
    await vi.waitUntil(() => endpointOf(all[4]!, 'e0').weight === 0.5, WAIT);
    answer(all[2]!, 'e0', 500, 5);
    const taken = all.slice(3);
    await vi.waitUntil(() => taken.every((node) => endpointOf(node, 'e0').ejected), WAIT);
    expect(taken.map(({ ejections }) => ejections)).toEqual([['quorum'], ['quorum']]);
    expect(taken[0]!.events.at(-1)).toEqual({
      service: 'orders',
      endpoint: 'e0',
      kind: 'ejected',
      detail: expect.stringMatching(/^quorum, n1, n2, n3 of 5 nodes with traffic$/),
    });
    for (const node of all.slice(0, 2)) {
      node.service.health.outliers!.onCheckPassed(endpointOf(node, 'e0'));
    }
    await vi.waitUntil(() => taken.every((node) => !endpointOf(node, 'e0').ejected), WAIT);
    expect(endpointOf(all[2]!, 'e0').ejected).toBe(true);
  });

  it('do not follow one that sees nothing but failures', async () => {
    const all = start();
    await untilTrafficIsKnown(all);
    for (const id of TEN) answer(all[0]!, id, 500, 5);
    expect(TEN.every((id) => endpointOf(all[0]!, id).ejected)).toBe(true);
    const others = all.slice(1);
    await vi.waitUntil(
      () => others.every((node) => node.service.endpoints.every(({ weight }) => weight === 0.5)),
      WAIT,
    );
    expect(others.flatMap(({ ejections }) => ejections)).toEqual([]);
    expect(others.every((node) => node.service.endpoints.every((one) => !one.ejected))).toBe(true);
  });

  it('check every endpoint once, tell each other, and take over from one that crashes', async () => {
    const all = start({ checkEveryMs: 50 });
    const checkers = (): string[][] =>
      TEN.map((id) => all.filter(({ looks }) => looks.includes(id)).map((node) => node.id));
    await vi.waitUntil(
      async () => {
        for (const { looks } of all) looks.length = 0;
        await vi.waitUntil(() => checkers().every((by) => by.length > 0), WAIT);
        return checkers().every((by) => by.length === 1);
      },
      { ...WAIT, interval: 200 },
    );

    nodes.ill.add('e3');
    await vi.waitUntil(() => all.every((node) => !endpointOf(node, 'e3').healthy), WAIT);
    const [owner] = checkers()[3]!;
    const details = all.map(({ events }) => events.at(-1)!.detail).toSorted();
    expect(new Set(details)).toEqual(new Set(['status 503', `status 503, says ${owner}`]));

    const leaving = all.find(({ id }) => id === owner)!;
    await nodes.crash(leaving);
    const rest = all.filter((node) => node !== leaving);
    nodes.ill.delete('e3');
    await vi.waitUntil(() => rest.every((node) => endpointOf(node, 'e3').healthy), WAIT);
  });

  it('come to the same factor for an endpoint that fails more than its peers', async () => {
    const all = start();
    const weigh = (): void => {
      for (const node of all) {
        for (const id of TEN.slice(1)) answer(node, id, 200, 100);
        answerMixed(node, 'e0', { requests: 100, failures: 12 });
      }
    };
    const isBelow = (factor: number): boolean =>
      all.every((node) => endpointOf(node, 'e0').factor < factor);
    weigh();
    await vi.waitUntil(() => isBelow(1), WAIT);
    const views = all.map(({ sharing }) => sharing.factors('orders'));
    expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(1);
    expect(views[0]![0]).toMatchObject({
      endpoint: 'e0',
      reason: 'error ratio 0.12 against 0.00 of its peers',
    });
    const { factor } = views[0]![0]!;
    weigh();
    await vi.waitUntil(() => isBelow(factor), WAIT);
    // Each took the same steps, one by one.
    const steps = all.map(({ moves }) => moves.map((move) => move.factor).slice(0, 2));
    expect(steps).toEqual(all.map(() => [0.8, 0.64]));
  });
});
