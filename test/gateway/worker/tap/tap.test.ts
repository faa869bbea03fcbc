/** Who watches a node with workers: the exchanges of all, within what was asked for. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createTap, type TapRequest, type TapSource } from '../../../../src/gateway/observe/tap.ts';
import { createNodeTap, type NodeTap } from '../../../../src/gateway/worker/tap/node-tap.ts';
import {
  EVENTS_AHEAD,
  type TapNews,
  type TapOrder,
} from '../../../../src/gateway/worker/tap/tap-messages.ts';
import { createWorkerTap } from '../../../../src/gateway/worker/tap/worker-tap.ts';
import { ManualTime } from '../../../mesh/backplane/manual-time.ts';
import { endedExchange, type Ended } from '../../observe/tap-exchange.ts';
import { readTap, type Reading } from '../../observe/tap-reading.ts';
import { linkPair } from '../link-pair.ts';

interface Worker {
  readonly tap: TapSource;
  /** Ends an exchange, as the observer is told. */
  end(ended?: Ended): void;
  die(): void;
}

let time: ManualTime;
let node: NodeTap;

beforeEach(() => {
  time = new ManualTime();
  node = createNodeTap({ monotonic: time.monotonic });
});

function addWorker(): Worker {
  const tap = createTap({
    random: () => 0.5,
    secrets: () => ({ headers: new Set(['x-partner']), queries: new Set() }),
  });
  const pair = linkPair<TapNews, TapOrder>();
  createWorkerTap({ tap, link: pair.worker, schedule: time.schedule });
  const detach = node.attach(pair.supervisor);
  return {
    tap,
    end(ended = {}) {
      const exchange = endedExchange(ended);
      if (!tap.isTapped || !tap.wants(exchange)) return;
      tap.offer(exchange, { route: ended.route, status: ended.status }, time.monotonic());
    },
    die() {
      pair.cut();
      detach();
    },
  };
}

const read = (request?: Partial<TapRequest>): Reading => readTap(node, request);

/** Enough turns for whatever is on its way. */
async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await nextTurn();
}

describe('a reader of a node', () => {
  it('sees the exchanges of all workers, of one that joins later too, without secrets', async () => {
    const a = addWorker();
    const reading = read();
    const b = addWorker();
    await settle();
    a.end({ status: 200, requestHeaders: ['x-partner', 'secret'] });
    b.end({ status: 404 });
    await settle();
    expect(reading.events.map(({ status }) => status)).toEqual([200, 404]);
    expect(JSON.stringify(reading.events)).not.toContain('"secret"');
  });

  it('costs workers nothing once it has left', async () => {
    const workers = [addWorker(), addWorker()];
    const reading = read();
    await settle();
    expect(workers.map(({ tap }) => tap.isTapped)).toEqual([true, true]);
    reading.subscription.close();
    await settle();
    expect(workers.map(({ tap }) => tap.isTapped)).toEqual([false, false]);
    time.advance(10_000);
    expect(time.delaysMs).toEqual([]);
  });

  it('sees what fits its filter and sample alone', async () => {
    const [a, b] = [addWorker(), addWorker()];
    const reading = read({ filter: { visible: { routes: ['sh'], services: [] } } });
    const none = read({ sample: 0.4 });
    await settle();
    for (const worker of [a, b]) {
      worker.end({ route: 'shop', status: 200 });
      worker.end({ route: 'cart', status: 200 });
    }
    await settle();
    expect(reading.events.map(({ route }) => route)).toEqual(['shop', 'shop']);
    expect(none.events).toEqual([]);
  });

  it('is told of no more events a second than it asked for, of all workers together', async () => {
    const [a, b] = [addWorker(), addWorker()];
    const reading = read({ ratePerSecond: 10 });
    await settle();
    for (let i = 0; i < 15; i++) for (const worker of [a, b]) worker.end();
    await settle();
    time.advance(250);
    await settle();
    expect(reading.events).toHaveLength(10);
    expect(reading.subscription.takeDrops()).toEqual({ slow: 0, rate: 20 });
    expect(reading.subscription.takeDrops()).toBeUndefined();
    time.advance(1_000);
    for (let i = 0; i < 200; i++) a.end();
    await settle();
    time.advance(250);
    await settle();
    expect(reading.events).toHaveLength(20);
    expect(reading.subscription.takeDrops()).toEqual({ slow: 0, rate: 190 });
  });

  it('gets as many as it asked for in all, and is then told so', async () => {
    const workers = [addWorker(), addWorker(), addWorker()];
    const reading = read({ limit: 20 });
    await settle();
    for (let i = 0; i < 15; i++) for (const worker of workers) worker.end();
    await settle();
    expect(reading.events).toHaveLength(20);
    expect(reading.isFinished).toBe(true);
    expect(workers.map(({ tap }) => tap.isTapped)).toEqual([false, false, false]);
  });

  it('that takes nothing holds up nobody, and loses what it has no room for', async () => {
    const [a, b] = [addWorker(), addWorker()];
    const slow = read();
    const quick = read();
    slow.isOpen = false;
    await settle();
    const each = EVENTS_AHEAD + 256 + 10;
    for (let i = 0; i < each; i++) {
      for (const worker of [a, b]) worker.end();
      await nextTurn();
    }
    await settle();
    time.advance(250);
    await settle();
    expect(slow.events).toHaveLength(1);
    expect(quick.events).toHaveLength(2 * each);
    const { slow: lost } = slow.subscription.takeDrops()!;
    // One went out, and gave one of the two room for another.
    expect(lost).toBe(2 * 10 - 1);
    slow.isOpen = true;
    slow.subscription.resume();
    await settle();
    expect(slow.events).toHaveLength(2 * each - lost);
  });

  it('keeps what a worker sent before it died, and goes on with the others', async () => {
    const [a, b] = [addWorker(), addWorker()];
    const reading = read();
    reading.isOpen = false;
    await settle();
    for (let i = 0; i < 3; i++) a.end({ status: 200 });
    await settle();
    a.die();
    reading.isOpen = true;
    reading.subscription.resume();
    b.end({ status: 404 });
    await settle();
    expect(reading.events.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
  });

  it('is one of four at most', () => {
    addWorker();
    const readings = [read(), read(), read(), read()];
    expect(read().subscription).toBeUndefined();
    readings[0]!.subscription.close();
    expect(read().subscription).toBeDefined();
  });
});
