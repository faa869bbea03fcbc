/** Sharded subscriptions that come and go faster than a cluster confirms them. */
import { EventEmitter } from 'node:events';
import type { Cluster } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { createClusterSubscriptions } from '../../../src/mesh/backplane/redis/cluster-subscriptions.ts';

/** Confirms each subscription when it is told to. */
class FakeCluster extends EventEmitter {
  readonly status = 'ready';
  readonly asked: string[] = [];
  readonly left: string[] = [];
  confirm = (): void => {};

  ssubscribe(channel: string): Promise<void> {
    this.asked.push(channel);
    return new Promise((resolve) => (this.confirm = resolve));
  }

  async sunsubscribe(channel: string): Promise<void> {
    this.left.push(channel);
  }
}

describe('a subscription on a cluster', () => {
  function create() {
    const cluster = new FakeCluster();
    const subscribed: string[] = [];
    const subscriptions = createClusterSubscriptions(
      cluster as unknown as Cluster,
      {
        onMessage() {},
        onSubscribed: (channel) => subscribed.push(channel),
        onFailure(error) {
          throw error;
        },
      },
      () => () => {},
      () => 0,
    );
    return { cluster, subscribed, subscriptions };
  }

  it('is told of once it is confirmed, and ended once', async () => {
    const { cluster, subscribed, subscriptions } = create();
    subscriptions.add('a');
    cluster.confirm();
    await Promise.resolve();
    expect(subscribed).toEqual(['a']);
    subscriptions.remove('a');
    expect(cluster.left).toEqual(['a']);
  });

  it('that is let go of before it is confirmed does not stay', async () => {
    const { cluster, subscribed, subscriptions } = create();
    subscriptions.add('a');
    subscriptions.remove('a');
    cluster.confirm();
    await Promise.resolve();
    expect([subscribed, cluster.left]).toEqual([[], ['a']]);
    subscriptions.add('a');
    cluster.confirm();
    await Promise.resolve();
    expect([subscribed, cluster.asked]).toEqual([['a'], ['a', 'a']]);
  });
});
