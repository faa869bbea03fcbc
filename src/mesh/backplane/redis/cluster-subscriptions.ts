/** Sharded subscriptions: each on the node of the cluster that has the slot of its channel. */
import type { Cluster } from 'ioredis';
import type { Schedule } from '../schedule.ts';
import { retryDelayMs } from '../timing.ts';
import type { SubscriptionHandlers, Subscriptions } from './subscriptions.ts';

/** After the client moved subscriptions to other nodes it does not tell when they are in force. */
const SETTLE_MS = 1_000;

/**
 * The client moves subscriptions along with their slots. What it was asked for while it could
 * not do it is asked again here.
 */
export function createClusterSubscriptions(
  client: Cluster,
  handlers: SubscriptionHandlers,
  schedule: Schedule,
  random: () => number,
): Subscriptions {
  const wanted = new Set<string>();
  const confirmed = new Set<string>();
  const asking = new Set<string>();
  let callOffs: (() => void)[] = [];
  let failures = 0;

  async function subscribe(channel: string): Promise<void> {
    if (client.status !== 'ready' || asking.has(channel)) return;
    asking.add(channel);
    try {
      await client.ssubscribe(channel);
      failures = 0;
      if (!wanted.has(channel)) {
        // Let go of while it was asked for.
        client.sunsubscribe(channel).catch(() => undefined);
        return;
      }
      confirmed.add(channel);
      handlers.onSubscribed(channel);
    } catch (error) {
      failures += 1;
      handlers.onFailure(error);
      later(retryDelayMs(failures, random), subscribeMissing);
    } finally {
      asking.delete(channel);
    }
  }

  function later(delayMs: number, run: () => void): void {
    const callOff = schedule(delayMs, () => {
      callOffs = callOffs.filter((other) => other !== callOff);
      run();
    });
    callOffs.push(callOff);
  }

  function subscribeMissing(): void {
    for (const channel of wanted) {
      if (!confirmed.has(channel)) void subscribe(channel);
    }
  }

  /** Of what was confirmed once, messages may be missing by now. */
  function resubscribed(): void {
    subscribeMissing();
    const tell = (): void => {
      for (const channel of wanted) {
        if (confirmed.has(channel)) handlers.onSubscribed(channel);
      }
    };
    tell();
    later(SETTLE_MS, tell);
  }

  client.on('ready', resubscribed);
  client.on('subscribersReady', resubscribed);
  client.on('smessage', (channel: string, text: string) => {
    if (wanted.has(channel)) handlers.onMessage(channel, text);
  });

  return {
    start() {}, // The client of the commands is the same, and connected by its owner.
    add(channel) {
      wanted.add(channel);
      void subscribe(channel);
    },
    remove(channel) {
      wanted.delete(channel);
      if (confirmed.delete(channel)) client.sunsubscribe(channel).catch(() => undefined);
    },
    close() {
      for (const callOff of callOffs) callOff();
      callOffs = [];
      wanted.clear();
    },
  };
}
