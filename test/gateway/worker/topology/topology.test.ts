/** The calls of workers, as their supervisor publishes them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { EdgeNews } from '../../../../src/gateway/worker/topology/edge-messages.ts';
import { createEdgeTeller } from '../../../../src/gateway/worker/topology/edge-teller.ts';
import { bucketOf } from '../../../../src/mesh/topology/latency-buckets.ts';
import { createTopologyRecorder } from '../../../../src/mesh/topology/recorder.ts';
import { ManualTime } from '../../../mesh/backplane/manual-time.ts';
import { linkPair } from '../link-pair.ts';

it('add up to those of the node, each once, what is left at the end too', async () => {
  const time = new ManualTime();
  const node = createTopologyRecorder();
  const workers = [0, 1].map(() => {
    const recorder = createTopologyRecorder();
    const pair = linkPair<EdgeNews, never>();
    pair.supervisor.receive((edges) => node.add(edges));
    const teller = createEdgeTeller({ recorder, link: pair.worker, schedule: time.schedule });
    teller.start();
    return { orders: recorder.edgeTo('orders'), users: recorder.edgeTo('users'), teller, pair };
  });
  const [a, b] = workers;
  a!.orders.record(10, true);
  b!.orders.record(10, false);
  b!.users.record(30, false);
  time.advance(1_000);
  a!.orders.record(20, false);
  for (const { teller } of workers) teller.stop();
  await nextTurn();
  await nextTurn();
  const taken = node.take();
  expect(taken.map(({ destination, calls, errors }) => [destination, calls, errors])).toEqual([
    ['orders', 3, 1],
    ['users', 1, 0],
  ]);
  expect([taken[0]!.buckets[bucketOf(10)], taken[0]!.buckets[bucketOf(20)]]).toEqual([2, 1]);
  expect(node.take()).toEqual([]);
  expect(time.delaysMs).toEqual([]);
  // One that had nothing to tell at its end said nothing.
  expect(workers.map(({ pair }) => pair.sent.worker)).toEqual([2, 1]);
});
