import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { AdminServerOptions } from '../../src/admin/admin-server.ts';
import type { Scope } from '../../src/admin/access/scope.ts';
import { TapEvent } from '../../src/admin/resources/tap.ts';
import type { TapSource } from '../../src/gateway/observe/tap.ts';
import { endedExchange, type Ended } from '../gateway/observe/tap-exchange.ts';
import { ManualTime } from '../mesh/backplane/manual-time.ts';
import { createTestTap, startAdmin, stopAdminsAfterEach, type TestAdmin } from './admin-fixture.ts';
import { readEvents, type EventReader } from './event-reader.ts';
import { askWith, makeToken } from './token-fixture.ts';

stopAdminsAfterEach();

interface Tapped {
  readonly admin: TestAdmin;
  readonly tap: TapSource;
  readonly end: (ended?: Ended) => void;
  readonly read: (query?: string, token?: string) => Promise<EventReader>;
}

async function start(options: Partial<AdminServerOptions> = {}): Promise<Tapped> {
  const tap = createTestTap();
  const admin = await startAdmin({ tap, ...options });
  return {
    admin,
    tap,
    end(ended = {}) {
      const exchange = endedExchange(ended);
      const { route, service, request, response } = exchange;
      const { method, path } = request;
      const line = {
        time: '2026-01-01T00:00:00.000Z',
        request_id: 'r1',
        listener: 'http',
        client_ip: '127.0.0.1',
        host: 'a',
        duration_ms: 1.5,
        route,
        service,
        method,
        path,
        status: response.status,
      };
      if (tap.isTapped && tap.wants(exchange)) tap.offer(exchange, line, performance.now());
    },
    read: (query = '', token = admin.token) => readEvents(admin.port, `/v1/tap${query}`, token),
  };
}

const operator = (admin: TestAdmin, scope?: Scope) =>
  makeToken(admin, { role: 'operator', ...(scope && { scope }) });

describe('GET /v1/tap', () => {
  it('is a stream of events, one for each exchange, as described', async () => {
    const { end, read, tap } = await start();
    const reader = await read();
    expect([
      reader.status,
      reader.headers['content-type'],
      reader.headers['cache-control'],
    ]).toEqual([200, 'text/event-stream', 'no-store']);
    end({ status: 404, query: '?a=b', requestHeaders: ['Authorization', 'Bearer x'] });
    const { event, data } = await reader.next();
    expect(event).toBe('exchange');
    expect(data).toMatchObject({
      status: 404,
      query: '?a=(hidden)',
      request_headers: { authorization: '(hidden)' },
      response_headers: { 'content-type': 'text/plain' },
    });
    const validate = new Ajv({ strict: false }).compile(TapEvent);
    validate(data);
    expect(validate.errors).toBeNull();
    end({ path: '/second' });
    expect((await reader.next()).data['path']).toBe('/second');
    expect(tap.isTapped).toBe(true);
  });

  it('leaves traffic alone once the reader has gone', async () => {
    const { read, tap } = await start();
    const reader = await read();
    reader.close();
    await expect.poll(() => tap.isTapped).toBe(false);
  });

  it('filters, shows the values of queries when asked, and ends after as many as asked for', async () => {
    const { end, read } = await start();
    const reader = await read(
      '?route=a&service=s&consumer=acme&status=2xx,404&method=post&path=/v1&query_values=true&limit=2',
    );
    const fitting = { route: 'a', service: 's', consumer: 'acme', method: 'POST', path: '/v1/x' };
    for (const other of [
      { route: 'b' },
      { service: 't' },
      { consumer: 'other' },
      { method: 'GET' },
      { path: '/v2' },
      { status: 500 },
    ]) {
      end({ ...fitting, ...other });
    }
    end({ ...fitting, query: '?a=1&token=2' });
    end({ ...fitting, status: 404 });
    end({ ...fitting, path: '/v1/too-late' });
    await reader.ended;
    expect(reader.events.map(({ event, data }) => [event, data['path'] ?? data['reason']])).toEqual(
      [
        ['exchange', '/v1/x'],
        ['exchange', '/v1/x'],
        ['end', 'limit'],
      ],
    );
    expect(reader.events[0]!.data['query']).toBe('?a=1&token=(hidden)');
  });

  it.each([
    ['status=9xx', 'status'],
    ['status=', 'status'],
    ['sample=1.5', 'sample'],
    ['rate=0', 'rate'],
    ['limit=0', 'limit'],
    ['method=', 'method'],
    ['follow=1', 'follow'],
  ])('refuses ?%s, and names the parameter', async (query, parameter) => {
    const { admin } = await start();
    const { status, body } = await admin.ask(`/v1/tap?${query}`);
    expect([status, body['errors']]).toEqual([422, [{ parameter, detail: expect.any(String) }]]);
  });

  it('tells of what it dropped, within a second', async () => {
    const { end, read } = await start();
    const reader = await read('?rate=2');
    for (let i = 0; i < 5; i++) end();
    const { data } = await reader.next(({ event }) => event === 'dropped');
    expect(data).toEqual({ slow: 0, rate: 3 });
    expect(reader.events.filter(({ event }) => event === 'exchange').length).toBe(2);
  });

  it('beats while there is nothing to tell', async () => {
    const { read } = await start();
    const reader = await read();
    await reader.beat();
    await reader.beat();
    expect(reader.events).toEqual([]);
  });

  it('has room for four, and 429 for the next until one has gone', async () => {
    const { admin, read, tap } = await start();
    const readers = await Promise.all([read(), read(), read(), read()]);
    const { status, headers, body } = await admin.ask('/v1/tap');
    expect([status, headers['retry-after'], body['code']]).toEqual([429, '5', 'too_many_taps']);
    for (const reader of readers) reader.close();
    await expect.poll(() => tap.isTapped).toBe(false);
    expect((await read()).status).toBe(200);
  });

  it('is for operators, and none of it for HEAD', async () => {
    const { admin, tap } = await start();
    const viewer = await makeToken(admin, { role: 'viewer' });
    expect((await askWith(admin, viewer.token, '/v1/tap')).status).toBe(403);
    expect((await admin.ask('/v1/tap', { method: 'HEAD' })).status).toBe(405);
    expect(tap.isTapped).toBe(false);
  });

  it('shows a token with a scope its own routes and services', async () => {
    const { admin, end, read } = await start();
    const scope = { routes: { prefixes: ['shop-'] }, services: { prefixes: ['cart'] } };
    const { token } = await operator(admin, scope);
    const reader = await read('', token);
    end({ route: 'other', service: 'other', path: '/no' });
    end({ route: '', service: '', path: '/nobody' });
    end({ route: 'shop-a', service: 'other', path: '/route' });
    end({ route: 'other', service: 'cart', path: '/service' });
    await reader.next(({ data }) => data['path'] === '/service');
    expect(reader.events.map(({ data }) => data['path'])).toEqual(['/route', '/service']);
  });

  it('ends when its token is revoked, and no other does', async () => {
    const { admin, end, read } = await start();
    const { id, token } = await operator(admin);
    const [revoked, other] = await Promise.all([read('', token), read()]);
    expect((await admin.ask(`/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
    await revoked.ended;
    expect(revoked.events).toEqual([{ event: 'end', data: { reason: 'not_allowed' } }]);
    end({ path: '/after' });
    expect((await other.next()).data['path']).toBe('/after');
  });

  it('ends when its token expires', async () => {
    let nowMs = Date.now();
    const clock = { now: () => nowMs, monotonic: () => performance.now() };
    const { admin, read } = await start({ clock });
    const answer = await admin.ask('/v1/tokens', {
      method: 'POST',
      body: { name: 'a', role: 'operator', expires_in_seconds: 60 },
    });
    const reader = await read('', answer.body['token'] as string);
    nowMs += 61_000;
    await reader.ended;
    expect(reader.events.at(-1)).toEqual({ event: 'end', data: { reason: 'not_allowed' } });
  });

  it('ends when the server stops, and does not hold it up', async () => {
    const { admin, read } = await start();
    const reader = await read();
    await admin.stop();
    await reader.ended;
    expect(reader.events).toEqual([{ event: 'end', data: { reason: 'stopping' } }]);
  });

  it('lets go of a reader that takes nothing for a minute', async () => {
    const time = new ManualTime();
    const { read, end, tap } = await start({ schedule: time.schedule });
    const reader = await read('?rate=10000');
    reader.response.pause();
    // More than all buffers in between hold.
    const fields = Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'v'.repeat(1_000)]).flat();
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) end({ requestHeaders: fields });
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let round = 0; round < 20; round++) await fill();
    for (let second = 0; second < 200 && tap.isTapped; second++) {
      await fill();
      time.advance(1_000);
    }
    await expect.poll(() => tap.isTapped).toBe(false);
  });
});
