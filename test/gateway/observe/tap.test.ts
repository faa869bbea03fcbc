/** Who watches traffic sees what fits, as much as was asked for, and holds up nobody. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseStatuses, type TapFilter } from '../../../src/gateway/observe/tap-filter.ts';
import { createTap, type TapRequest, type TapSource } from '../../../src/gateway/observe/tap.ts';
import { endedExchange, type Ended } from './tap-exchange.ts';
import { readTap, type Reading } from './tap-reading.ts';

let tap: TapSource;
let deferred: (() => void)[];
let nowMs: number;
let drawn: number[];

beforeEach(() => {
  deferred = [];
  nowMs = 0;
  drawn = [];
  tap = createTap({
    random: () => drawn.shift() ?? 0,
    secrets: () => ({ headers: new Set(['x-partner']), queries: new Set() }),
    defer: (run) => deferred.push(run),
  });
});

const read = (request?: Partial<TapRequest>): Reading => readTap(tap, request);

/** As the observer does. */
function end(ended: Ended = {}, record: Record<string, unknown> = { status: ended.status }): void {
  const exchange = endedExchange(ended);
  if (tap.isTapped && tap.wants(exchange)) tap.offer(exchange, record, nowMs);
}

function pass(): void {
  while (deferred.length > 0) deferred.shift()!();
}

describe('the tap', () => {
  it('asks nothing of traffic before, and after, somebody reads', () => {
    expect(tap.isTapped).toBe(false);
    const a = read();
    const b = read();
    a.subscription.close();
    expect(tap.isTapped).toBe(true);
    b.subscription.close();
    b.subscription.close();
    expect(tap.isTapped).toBe(false);
  });

  it('writes nothing while the exchange ends, and the line of the log and both heads soon after', () => {
    const reading = read();
    end(
      { query: '?a=1', requestHeaders: ['Cookie', 'a=1', 'X-Partner', 'p', 'Accept', '*/*'] },
      { status: 200, extra: 'x' },
    );
    expect(reading.events).toEqual([]);
    pass();
    expect(reading.events).toEqual([
      {
        status: 200,
        extra: 'x',
        query: '?a=(hidden)',
        request_headers: { cookie: '(hidden)', 'x-partner': '(hidden)', accept: '*/*' },
        response_headers: { 'content-type': 'text/plain' },
      },
    ]);
  });

  it('leaves out what a plugin put in that JSON cannot say', () => {
    const reading = read();
    end({}, { status: 200, odd: 1n, note: 'kept' });
    pass();
    expect(reading.events).toMatchObject([{ status: 200, note: 'kept' }]);
    expect(reading.events[0]).not.toHaveProperty('odd');
  });

  it('has room for four readers', () => {
    const readings = [1, 2, 3, 4].map(() => read());
    expect(read().subscription).toBeUndefined();
    readings[1]!.subscription.close();
    expect(read().subscription).toBeDefined();
  });

  it('lets other work go on between sixteen events and the next', () => {
    const reading = read();
    for (let i = 0; i < 40; i++) end();
    deferred.shift()!();
    expect(reading.events.length).toBe(16);
    pass();
    expect(reading.events.length).toBe(40);
  });

  it('drops and counts what a slow reader does not take, and goes on once it does', () => {
    const reading = read();
    const other = read();
    reading.isOpen = false;
    end({ status: 201 });
    pass();
    for (let i = 0; i < 300; i++) end();
    pass();
    expect(reading.events.length).toBe(1);
    expect(other.events.length).toBe(257);
    expect(reading.subscription.takeDrops()).toEqual({ slow: 44, rate: 0 });
    expect(reading.subscription.takeDrops()).toBeUndefined();
    reading.isOpen = true;
    reading.subscription.resume();
    pass();
    expect(reading.events.length).toBe(257);
    end();
    pass();
    expect(reading.events.length).toBe(258);
  });

  it('drops and counts what is beyond the rate, each second anew', () => {
    const reading = read({ ratePerSecond: 3 });
    for (let i = 0; i < 10; i++) end();
    nowMs = 999;
    end();
    nowMs = 1_000;
    end();
    pass();
    expect(reading.events.length).toBe(4);
    expect(reading.subscription.takeDrops()).toEqual({ slow: 0, rate: 8 });
  });

  it('takes a sample, and does not count the rest as lost', () => {
    const reading = read({ sample: 0.25 });
    drawn = [0.1, 0.25, 0.9, 0.2499];
    for (const status of [200, 201, 202, 203]) end({ status });
    pass();
    expect(reading.events.map(({ status }) => status)).toEqual([200, 203]);
    expect(reading.subscription.takeDrops()).toBeUndefined();
  });

  it('is finished after as many as asked for', () => {
    const reading = read({ limit: 2 });
    end();
    end();
    end();
    expect(reading.isFinished).toBe(false);
    pass();
    expect([reading.events.length, reading.isFinished, tap.isTapped]).toEqual([2, true, false]);
  });

  it('writes nothing to a reader that has gone', () => {
    const reading = read();
    end();
    reading.subscription.close();
    pass();
    expect(reading.events).toEqual([]);
  });
});

describe('a filter', () => {
  const all: Ended[] = [
    { route: 'a', service: 's1', status: 200, path: '/v1/x', consumer: 'acme' },
    { route: 'a', service: 's2', status: 404, path: '/v2', method: 'POST' },
    { route: 'b', service: 's2', status: 503, path: '/v1' },
    { route: '', service: '', status: 0, path: '/' },
  ];
  it.each<[string, TapFilter, number[]]>([
    ['nothing', {}, [200, 404, 503, 0]],
    ['a route', { route: 'a' }, [200, 404]],
    ['a service', { service: 's2' }, [404, 503]],
    ['a consumer', { consumer: 'acme' }, [200]],
    ['a method', { method: 'POST' }, [404]],
    ['the beginning of paths', { pathPrefix: '/v1' }, [200, 503]],
    ['a status', { statuses: parseStatuses('404') }, [404]],
    ['classes of status', { statuses: parseStatuses('2xx,5xx') }, [200, 503]],
    ['the status of a client that left', { statuses: parseStatuses('499') }, [0]],
    ['several things, all of them', { route: 'a', service: 's2' }, [404]],
    ['what may be seen', { visible: { routes: ['b'], services: ['s1'] } }, [200, 503]],
    ['all that may be seen', { visible: { routes: [''], services: [] } }, [200, 404, 503]],
    ['nothing that may be seen', { visible: { routes: [], services: [] } }, []],
  ])('by %s', (_, filter, expected) => {
    const reading = read({ filter });
    for (const ended of all) end(ended);
    pass();
    expect(reading.events.map(({ status }) => status)).toEqual(expected);
  });

  it('of one reader is none of another', () => {
    const a = read({ filter: { route: 'a' } });
    const b = read({ filter: { route: 'b' } });
    for (const ended of all) end(ended);
    pass();
    expect([a.events.length, b.events.length]).toEqual([2, 1]);
  });
});
