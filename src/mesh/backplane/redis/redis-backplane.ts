/** The backplane of many machines, on Redis 7 or later: one server, Sentinel, or a cluster. */
import type { Clock, Log } from '../../../plugins/sdk/plugin-context.ts';
import type { Backplane, SpaceView } from '../backplane.ts';
import { scheduleTimer, type Schedule } from '../schedule.ts';
import { SpaceRecords } from '../space-records.ts';
import { RedisConnection, type RedisClient } from './connection.ts';
import { assertNamespace, keysOf, turnKey } from './keys.ts';
import type { RedisTarget } from './redis-target.ts';
import { SpaceFeed } from './space-feed.ts';
import { SpaceStore } from './space-store.ts';

export interface RedisBackplaneOptions {
  readonly target: RedisTarget;
  /** Begins every key; nodes with the same one are one mesh. Default `meshgate`. */
  readonly namespace?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly schedule?: Schedule | undefined;
}

export interface RedisBackplane extends Backplane {
  /**
   * The connection for commands, for those who count on Redis themselves. It queues nothing
   * and fails at once when it is down; a command may take up to a second all the same, so who
   * asks on the way of a request must stop waiting by itself.
   */
  readonly client: RedisClient;
}

interface Watched {
  readonly feed: SpaceFeed;
  readonly channel: string;
}

export function createRedisBackplane(options: RedisBackplaneOptions): RedisBackplane {
  const { target, namespace = 'meshgate', clock, log, random, schedule = scheduleTimer } = options;
  assertNamespace(namespace);
  const watched = new Map<string, Watched>();
  const byChannel = new Map<string, SpaceFeed>();
  let isUnpublishedTold = false;
  /** The first attempt has ended; whatever is asked before that fails, and means nothing. */
  let isTried = false;

  const connection = new RedisConnection(
    target,
    {
      onMessage: (channel, text) => byChannel.get(channel)?.hear(text),
      onSubscribed(channel) {
        // Else it follows once there is a connection to read by.
        if (connection.state.status().connected) byChannel.get(channel)?.catchUp();
      },
    },
    { clock, log, random, schedule },
  );
  connection.state.onChange(() => {
    if (!connection.state.status().connected) return;
    for (const { feed } of watched.values()) feed.catchUp();
  });

  function onUnpublished(): void {
    if (isUnpublishedTold) return;
    isUnpublishedTold = true;
    log.warn({ namespace }, 'no permission to publish: changes reach other nodes by their polls');
  }

  const storeOf = (space: string): SpaceStore =>
    new SpaceStore(connection, keysOf(namespace, space), onUnpublished);

  function watch(space: string): Watched {
    const { channel } = keysOf(namespace, space);
    const onFailure = (reason: string): void =>
      log.debug({ space, reason }, 'a space could not be read, last known state stays in force');
    const feed = new SpaceFeed({ store: storeOf(space), random, schedule, onFailure });
    const one = { feed, channel };
    watched.set(space, one);
    byChannel.set(channel, feed);
    connection.subscriptions.add(channel);
    // Not only once subscribed: reading must not wait for the other connection.
    if (isTried) feed.catchUp();
    return one;
  }

  function unwatch(space: string, { feed, channel }: Watched): void {
    feed.stop();
    watched.delete(space);
    byChannel.delete(channel);
    connection.subscriptions.remove(channel);
  }

  return {
    client: connection.client,
    async start() {
      await connection.start();
      isTried = true;
      for (const { feed } of watched.values()) feed.catchUp();
    },
    async close() {
      for (const [space, one] of watched) unwatch(space, one);
      connection.close();
    },
    status: () => connection.state.status(),
    onStatus: (listener) => connection.state.onChange(listener),

    change: async (space, mutations) => storeOf(space).change(mutations),
    renew: async (space, kind, id, lease) => storeOf(space).renew(kind, id, lease),
    expire: async (space, kind, rules) => storeOf(space).expire(kind, rules),
    async read(space): Promise<SpaceView> {
      const { epoch, revision, records } = await storeOf(space).readAll();
      const handOut = new SpaceRecords(records).handOut();
      return { epoch, revision, continuous: false, records: handOut };
    },
    watch(space, listener) {
      const one = watched.get(space) ?? watch(space);
      const remove = one.feed.add(listener);
      return () => {
        remove();
        if (!one.feed.isWatched && watched.get(space) === one) unwatch(space, one);
      };
    },
    report: async (space, id, value, leaseMs) => storeOf(space).report(id, value, leaseMs),
    reports: async (space) => storeOf(space).reports(),

    async takeTurn(name, forMs) {
      const key = turnKey(namespace, name);
      const reply = await connection.run((client) => client.set(key, '1', 'PX', forMs, 'NX'));
      return reply === 'OK';
    },
    async timeMs() {
      const [seconds, micros] = await connection.run((client) => client.time());
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    },
  };
}
