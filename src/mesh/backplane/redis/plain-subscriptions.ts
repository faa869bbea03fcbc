/** Subscriptions on a connection of their own: one server, or the master that Sentinels name. */
import type { Redis } from 'ioredis';
import type { Schedule } from '../schedule.ts';
import { retryDelayMs } from '../timing.ts';
import type { SubscriptionHandlers, Subscriptions } from './subscriptions.ts';

/** Channels a command; a node may watch hundreds of services. */
const CHUNK = 200;

export function createPlainSubscriptions(
  client: Redis,
  handlers: SubscriptionHandlers,
  schedule: Schedule,
  random: () => number,
): Subscriptions {
  const channels = new Set<string>();
  let retryCallOff = (): void => {};
  let failures = 0;

  async function subscribe(wanted: readonly string[]): Promise<void> {
    if (client.status !== 'ready') return; // `ready` subscribes to all of them.
    try {
      for (let start = 0; start < wanted.length; start += CHUNK) {
        const chunk = wanted.slice(start, start + CHUNK).filter((channel) => channels.has(channel));
        if (chunk.length === 0) continue;
        await client.subscribe(...chunk);
        for (const channel of chunk) handlers.onSubscribed(channel);
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      handlers.onFailure(error);
      retryCallOff();
      retryCallOff = schedule(retryDelayMs(failures, random), () => void subscribe([...channels]));
    }
  }

  client.on('ready', () => void subscribe([...channels]));
  client.on('message', (channel, text) => {
    if (channels.has(channel)) handlers.onMessage(channel, text);
  });
  client.on('error', handlers.onFailure);

  return {
    start() {
      // Failures are retried by the client, and told through `error`.
      client.connect().catch(() => undefined);
    },
    add(channel) {
      channels.add(channel);
      void subscribe([channel]);
    },
    remove(channel) {
      channels.delete(channel);
      if (client.status === 'ready') client.unsubscribe(channel).catch(() => undefined);
    },
    close() {
      retryCallOff();
      channels.clear();
      client.disconnect();
    },
  };
}
