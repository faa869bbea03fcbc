import { Resolver } from 'node:dns/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DnsResolver, SystemLookup } from '../../../src/mesh/discovery/dns-lookup.ts';
import { createDnsSource, type DnsQuery } from '../../../src/mesh/discovery/dns.ts';
import type { EndpointSpec } from '../../../src/mesh/endpoint.ts';
import { startDnsServer, type DnsServer } from './dns-server.ts';

let server: DnsServer;

beforeEach(async () => {
  server = await startDnsServer();
});

afterEach(() => server.close());

const noSystem: SystemLookup = (name) =>
  Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' }));

/** Waits long for an answer on a busy machine, and not where none will come. */
function resolverOf({ address }: DnsServer): DnsResolver {
  const patient = new Resolver({ timeout: 10_000, tries: 1 });
  const impatient = new Resolver({ timeout: 50, tries: 1 });
  patient.setServers([address]);
  impatient.setServers([address]);
  const fitting = () => (server.mode === 'silent' ? impatient : patient);
  return {
    resolve4: (name, options) => fitting().resolve4(name, options),
    resolve6: (name, options) => fitting().resolve6(name, options),
    resolveSrv: (name) => fitting().resolveSrv(name),
    cancel: () => fitting().cancel(),
  };
}

interface ObserveOptions {
  readonly lookup?: SystemLookup;
  readonly resolver?: DnsResolver;
  readonly refreshMs?: number;
}

/** A source under a timer that is fired by hand: `next()` is over when the lookup has ended. */
function observe(query: DnsQuery, options: ObserveOptions = {}) {
  const resolver = options.resolver ?? resolverOf(server);
  const lists: (readonly EndpointSpec[])[] = [];
  const log: string[] = [];
  const delays: number[] = [];
  let pending: (() => void) | undefined;
  let settled = Promise.withResolvers<void>();
  const note = (_fields: object, message: string) => void log.push(message);
  const source = createDnsSource({
    query,
    refreshMs: options.refreshMs,
    log: { debug: note, info: note, warn: note, error: note },
    random: () => 0,
    resolver,
    lookup: options.lookup ?? noSystem,
    schedule: (delayMs, run) => {
      if (pending !== undefined) throw new Error('two lookups scheduled');
      delays.push(delayMs);
      pending = run;
      // The list is published right after, within the same turn.
      queueMicrotask(() => settled.resolve());
      return () => {
        pending = undefined;
      };
    },
  });
  return {
    source,
    lists,
    log,
    delays,
    isScheduled: () => pending !== undefined,
    lastIds: () => lists.at(-1)?.map(({ id }) => id),
    start: () => {
      source.start((endpoints) => lists.push(endpoints));
      return settled.promise;
    },
    /** Fires the timer. */
    next: () => {
      const run = pending;
      if (run === undefined) throw new Error('nothing scheduled');
      pending = undefined;
      settled = Promise.withResolvers();
      run();
      return settled.promise;
    },
  };
}

const a = (address: string, ttl = 60) => ({ type: 'A', address, ttl }) as const;
const srv = (target: string, priority = 0, weight = 1, port = 80) =>
  ({ type: 'SRV', priority, weight, port, target, ttl: 60 }) as const;
const orders: DnsQuery = { type: 'A', name: 'orders.test', port: 3001 };
const ordersSrv: DnsQuery = { type: 'SRV', name: '_http._tcp.orders.test' };

describe('A and AAAA', () => {
  it('gives each address the port and the metadata', async () => {
    server.records.set('orders.test', [a('10.0.0.2'), a('10.0.0.1')]);
    const seen = observe({ ...orders, metadata: { version: 'v1' } });
    await seen.start();
    const spec = { port: 3001, weight: 1, metadata: { version: 'v1' } };
    expect(seen.lists).toEqual([
      [
        { id: '10.0.0.1:3001', host: '10.0.0.1', ...spec },
        { id: '10.0.0.2:3001', host: '10.0.0.2', ...spec },
      ],
    ]);
    seen.source.stop();
  });

  it('asks for AAAA where told to', async () => {
    server.records.set('orders.test', [
      a('10.0.0.1'),
      { type: 'AAAA', address: 'fd00::1', ttl: 60 },
    ]);
    const seen = observe({ ...orders, type: 'AAAA' });
    await seen.start();
    expect(seen.lastIds()).toEqual(['[fd00::1]:3001']);
    seen.source.stop();
  });

  it('asks again when the shortest TTL has passed, as it changes', async () => {
    server.records.set('orders.test', [a('10.0.0.1', 60), a('10.0.0.2', 20)]);
    const seen = observe(orders);
    await seen.start();
    server.records.set('orders.test', [a('10.0.0.1', 5)]);
    await seen.next();
    server.records.set('orders.test', [a('10.0.0.1', 0)]);
    await seen.next();
    server.records.set('orders.test', [a('10.0.0.1', 86_400)]);
    await seen.next();
    expect(seen.delays).toEqual([20_000, 5_000, 1_000, 300_000]);
    seen.source.stop();
  });

  it('asks at the configured interval instead, whatever the TTL', async () => {
    server.records.set('orders.test', [a('10.0.0.1', 5)]);
    const seen = observe(orders, { refreshMs: 600_000 });
    await seen.start();
    expect(seen.delays).toEqual([600_000]);
    seen.source.stop();
  });

  it('speaks only when the set of addresses changes, not their order', async () => {
    server.records.set('orders.test', [a('10.0.0.1'), a('10.0.0.2')]);
    const seen = observe(orders);
    await seen.start();
    server.records.set('orders.test', [a('10.0.0.2'), a('10.0.0.1')]);
    await seen.next();
    expect(seen.lists).toHaveLength(1);
    server.records.set('orders.test', [a('10.0.0.3'), a('10.0.0.1')]);
    await seen.next();
    expect(seen.lists).toHaveLength(2);
    expect(seen.lastIds()).toEqual(['10.0.0.1:3001', '10.0.0.3:3001']);
    seen.source.stop();
  });
});

describe('when DNS fails', () => {
  const failures: readonly [string, () => void][] = [
    ['NXDOMAIN', () => server.records.delete('orders.test')],
    ['an empty answer', () => server.records.set('orders.test', [])],
    ['SERVFAIL', () => (server.mode = 'servfail')],
    ['silence', () => (server.mode = 'silent')],
  ];

  it.each(failures)('keeps the last list through %s, backs off, and recovers', async (_, fail) => {
    server.records.set('orders.test', [a('10.0.0.1')]);
    const seen = observe(orders);
    await seen.start();
    fail();
    await seen.next();
    await seen.next();
    await seen.next();
    expect(seen.lists).toHaveLength(1);
    // The lower half of 1, 2 and 4 s, as chance says 0.
    expect(seen.delays).toEqual([60_000, 500, 1_000, 2_000]);
    expect(seen.log).toEqual(['DNS lookup failed, last answer kept']);

    server.mode = 'answer';
    server.records.set('orders.test', [a('10.0.0.2', 10)]);
    await seen.next();
    expect(seen.lastIds()).toEqual(['10.0.0.2:3001']);
    expect(seen.delays.at(-1)).toBe(10_000);
    expect(seen.log.at(-1)).toBe('DNS lookup works again');

    fail();
    await seen.next();
    expect(seen.delays.at(-1)).toBe(500);
    seen.source.stop();
  });

  it('says nothing before the first answer, and then speaks', async () => {
    const seen = observe(orders);
    await seen.start();
    expect(seen.lists).toEqual([]);
    expect(seen.log).toEqual(['DNS lookup failed; there are no endpoints until it works']);
    server.records.set('orders.test', [a('10.0.0.1')]);
    await seen.next();
    expect(seen.lastIds()).toEqual(['10.0.0.1:3001']);
    seen.source.stop();
  });
});

describe('names that DNS does not know', () => {
  it('asks the system on NXDOMAIN, and again after 30 s', async () => {
    const asked: string[] = [];
    const seen = observe(orders, {
      lookup: (name, family) => {
        asked.push(`${name} ${family}`);
        return Promise.resolve(['10.0.0.9', '10.0.0.9']);
      },
    });
    await seen.start();
    expect(asked).toEqual(['orders.test 4']);
    expect(seen.lastIds()).toEqual(['10.0.0.9:3001']);
    expect(seen.delays).toEqual([30_000]);
    seen.source.stop();
  });

  it('asks the system where no server listens', async () => {
    await server.close();
    const seen = observe(orders, { lookup: () => Promise.resolve(['10.0.0.9']) });
    await seen.start();
    expect(seen.lastIds()).toEqual(['10.0.0.9:3001']);
    seen.source.stop();
    server = await startDnsServer();
  });

  it('does not ask the system while DNS answers, even with an error', async () => {
    server.mode = 'servfail';
    const seen = observe(orders, { lookup: () => Promise.resolve(['10.0.0.9']) });
    await seen.start();
    expect(seen.lists).toEqual([]);
    seen.source.stop();
  });

  it('finds localhost by the system alone, with the real one', async () => {
    const source = createDnsSource({
      query: { type: 'A', name: 'localhost', port: 3001 },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      random: () => 0,
      resolver: resolverOf(server),
    });
    const heard = Promise.withResolvers<readonly EndpointSpec[]>();
    source.start(heard.resolve);
    expect((await heard.promise).map(({ id }) => id)).toEqual(['127.0.0.1:3001']);
    source.stop();
    expect(server.questions).toEqual([]);
  });

  it('takes an address as it is', async () => {
    const seen = observe({ type: 'A', name: '10.1.2.3', port: 80 });
    await seen.start();
    expect(seen.lastIds()).toEqual(['10.1.2.3:80']);
    expect(server.questions).toEqual([]);
    seen.source.stop();
  });
});

describe('SRV', () => {
  it('takes port, priority and weight from the record, and the address from its target', async () => {
    server.records.set('_http._tcp.orders.test', [
      srv('b.test', 10, 1, 8080),
      srv('a.test', 0, 3, 8081),
      srv('c.test', 0, 1, 8082),
    ]);
    server.records.set('a.test', [a('10.0.0.1')]);
    server.records.set('b.test', [a('10.0.0.2')]);
    server.records.set('c.test', [{ type: 'AAAA', address: 'fd00::3', ttl: 7 }]);
    const seen = observe(ordersSrv);
    await seen.start();
    expect(seen.lists[0]?.map(({ id, priority, weight }) => ({ id, priority, weight }))).toEqual([
      { id: '10.0.0.1:8081', priority: 0, weight: 3 },
      { id: '[fd00::3]:8082', priority: 0, weight: 1 },
      { id: '10.0.0.2:8080', priority: 10, weight: 1 },
    ]);
    expect(seen.delays).toEqual([7_000]);
    seen.source.stop();
  });

  it('splits a target’s weight over its addresses, and takes IPv4 before IPv6', async () => {
    server.records.set('_http._tcp.orders.test', [srv('a.test', 0, 10)]);
    server.records.set('a.test', [
      a('10.0.0.1'),
      a('10.0.0.2'),
      { type: 'AAAA', address: 'fd00::1', ttl: 60 },
    ]);
    const seen = observe(ordersSrv);
    await seen.start();
    expect(seen.lists[0]?.map(({ id, weight }) => [id, weight])).toEqual([
      ['10.0.0.1:80', 5],
      ['10.0.0.2:80', 5],
    ]);
    expect(seen.delays).toEqual([30_000]);
    seen.source.stop();
  });

  it('takes all zero for alike, and a zero beside others for very little', async () => {
    server.records.set('_http._tcp.orders.test', [
      srv('a.test', 0, 0),
      srv('b.test', 0, 10),
      srv('c.test', 1, 0),
    ]);
    for (const [index, name] of ['a.test', 'b.test', 'c.test'].entries()) {
      server.records.set(name, [a(`10.0.0.${index}`)]);
    }
    const seen = observe(ordersSrv);
    await seen.start();
    expect(seen.lists[0]?.map(({ weight }) => weight)).toEqual([0.01, 10, 1]);
    seen.source.stop();
  });

  it('speaks when only a weight changes', async () => {
    server.records.set('_http._tcp.orders.test', [srv('a.test', 0, 1)]);
    server.records.set('a.test', [a('10.0.0.1')]);
    const seen = observe(ordersSrv);
    await seen.start();
    server.records.set('_http._tcp.orders.test', [srv('a.test', 0, 2)]);
    await seen.next();
    expect(seen.lists.map((list) => list[0]?.weight)).toEqual([1, 2]);
    seen.source.stop();
  });

  it('keeps the last addresses of a target that fails, and asks soon again', async () => {
    server.records.set('_http._tcp.orders.test', [srv('a.test'), srv('b.test')]);
    server.records.set('a.test', [a('10.0.0.1')]);
    server.records.set('b.test', [a('10.0.0.2')]);
    const seen = observe(ordersSrv);
    await seen.start();
    server.records.delete('b.test');
    server.records.set('a.test', [a('10.0.0.3')]);
    await seen.next();
    expect(seen.lastIds()).toEqual(['10.0.0.2:80', '10.0.0.3:80']);
    expect(seen.delays.at(-1)).toBe(500);
    seen.source.stop();
  });

  it('takes the target "." for no answer', async () => {
    server.records.set('_http._tcp.orders.test', [srv('a.test')]);
    server.records.set('a.test', [a('10.0.0.1')]);
    const seen = observe(ordersSrv);
    await seen.start();
    server.records.set('_http._tcp.orders.test', [srv('.')]);
    await seen.next();
    expect(seen.lists).toHaveLength(1);
    expect(seen.delays.at(-1)).toBe(500);
    seen.source.stop();
  });
});

describe('stopping', () => {
  it('calls off the next lookup', async () => {
    server.records.set('orders.test', [a('10.0.0.1')]);
    const seen = observe(orders);
    await seen.start();
    expect(seen.isScheduled()).toBe(true);
    seen.source.stop();
    expect(seen.isScheduled()).toBe(false);
  });

  it('cancels a lookup in flight, and hears nothing of it', async () => {
    let answer: (records: { address: string; ttl: number }[]) => void = () => {};
    let cancelled = 0;
    const seen = observe(orders, {
      resolver: {
        resolve4: () => new Promise((resolve) => (answer = resolve)),
        resolve6: () => Promise.reject(new Error('not asked for')),
        resolveSrv: () => Promise.reject(new Error('not asked for')),
        cancel: () => (cancelled += 1),
      },
    });
    void seen.start();
    seen.source.stop();
    answer([{ address: '10.0.0.1', ttl: 60 }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(cancelled).toBe(1);
    expect(seen.lists).toEqual([]);
    expect(seen.isScheduled()).toBe(false);
  });

  it('may start again, and then speaks anew', async () => {
    server.records.set('orders.test', [a('10.0.0.1')]);
    const seen = observe(orders);
    await seen.start();
    expect(() => seen.source.start(() => {})).toThrow(/already started/);
    seen.source.stop();
    const heard = Promise.withResolvers<readonly EndpointSpec[]>();
    seen.source.start(heard.resolve);
    expect((await heard.promise).map(({ id }) => id)).toEqual(['10.0.0.1:3001']);
    seen.source.stop();
  });
});
