import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../../src/mesh/topology/latency-buckets.ts';
import { createTopologyRecorder, type EdgeCounts } from '../../../src/mesh/topology/recorder.ts';

/** The buckets that have any, with their counts. */
function filled({ buckets }: EdgeCounts): Record<number, number> {
  return Object.fromEntries(
    Array.from(buckets)
      .entries()
      .filter(([, count]) => count > 0),
  );
}

describe('the recorder of a topology', () => {
  it('counts calls and failures by destination, and their latencies', () => {
    const recorder = createTopologyRecorder();
    const [orders, users] = [recorder.edgeTo('orders'), recorder.edgeTo('users')];
    orders.record(10, false);
    orders.record(10, true);
    orders.record(200, false);
    users.record(5, false);
    const taken = recorder.take();
    expect(taken.map(({ destination, calls, errors }) => [destination, calls, errors])).toEqual([
      ['orders', 3, 1],
      ['users', 1, 0],
    ]);
    expect(filled(taken[0]!)).toEqual({ [bucketOf(10)]: 2, [bucketOf(200)]: 1 });
  });

  it('begins anew once it was taken, and does not name what was not called', () => {
    const recorder = createTopologyRecorder();
    const orders = recorder.edgeTo('orders');
    recorder.edgeTo('users');
    orders.record(10, true);
    const first = recorder.take();
    expect(recorder.take()).toEqual([]);
    orders.record(20, false);
    const [second] = recorder.take();
    expect([second!.calls, second!.errors, filled(second!)]).toEqual([1, 0, { [bucketOf(20)]: 1 }]);
    expect(filled(first[0]!)).toEqual({ [bucketOf(10)]: 1 });
  });

  it('adds up several handles of one destination, as after a reload', () => {
    const recorder = createTopologyRecorder();
    const [before, after] = [recorder.edgeTo('orders'), recorder.edgeTo('orders')];
    before.record(10, true);
    after.record(10, false);
    after.record(30, false);
    const [sum, ...others] = recorder.take();
    expect(others).toEqual([]);
    expect([sum!.calls, sum!.errors]).toEqual([3, 1]);
    expect(filled(sum!)).toEqual({ [bucketOf(10)]: 2, [bucketOf(30)]: 1 });
  });
});
