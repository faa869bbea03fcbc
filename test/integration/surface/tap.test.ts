/** Watching real traffic by the admin API, and that traffic does not mind. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readEvents, type EventReader, type ServerEvent } from '../../admin/event-reader.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { freePort } from '../../redis/free-port.ts';
import { startOrigin, type Origin } from './origin.ts';

const KEY = 'a-key-that-nobody-may-see';
const KEY_HASH = 'sha256:HASH';
const UP = 'an-upstream-secret';

let gateway: TestGateway;
let origin: Origin;
let adminPort: number;
let token: string;

beforeAll(async () => {
  origin = await startOrigin('origin');
  adminPort = await freePort();
  const { hash } = await import('node:crypto');
  gateway = await startGateway(
    {
      admin: { address: `127.0.0.1:${adminPort}` },
      services: { orders: { endpoints: [{ address: origin.address }] } },
      consumers: [
        { name: 'acme', apiKeys: [{ hash: KEY_HASH.replace('HASH', hash('sha256', KEY, 'hex')) }] },
      ],
      routes: [
        { name: 'orders', match: [{ path: '/orders/*' }], to: 'orders' },
        {
          name: 'partners',
          match: [{ path: '/partners/*' }],
          to: 'orders',
          plugins: [
            { 'api-key': { header: 'x-partner', query: 'partner', forward: true } },
            { headers: { request: { set: { 'x-up': '${UP}' } } } },
          ],
        },
      ],
    },
    { UP },
  );
  const file = join(gateway.directory, '.meshgate/admin-token');
  token = (await readFile(file, 'utf8')).trim();
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));
beforeEach(() => {
  origin.answer = (_asked, response) => response.end('origin');
});

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
afterAll(() => agent.destroy());

function get(path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ port: gateway.httpPort, host: '127.0.0.1', path, headers, agent });
    sent.on('error', reject);
    sent.on('response', (response) => {
      void text(response).then(() => resolve(response.statusCode!), reject);
    });
    sent.end();
  });
}

const tap = (query = ''): Promise<EventReader> => readEvents(adminPort, `/v1/tap${query}`, token);

describe('the tap of a gateway', () => {
  it('tells of an exchange what the access log does, and both heads', async () => {
    origin.answer = (_asked, response) => {
      response.writeHead(201, {
        'set-cookie': 'sid=1',
        'x-kind': 'order',
        location: '/orders/1?t=2',
      });
      response.end('made');
    };
    const reader = await tap();
    await get('/orders/7?page=2', {
      accept: 'text/html',
      cookie: 'sid=0',
      authorization: 'Basic YTpi',
    });
    const { data } = await reader.next();
    const line = await gateway.waitForLog(({ request_id }) => request_id === data['request_id']);
    expect(data).toMatchObject(line);
    expect(data).toMatchObject({
      route: 'orders',
      service: 'orders',
      status: 201,
      endpoint: origin.address,
      query: '?page=(hidden)',
      request_headers: { accept: 'text/html', cookie: '(hidden)', authorization: '(hidden)' },
      response_headers: {
        'set-cookie': '(hidden)',
        'x-kind': 'order',
        location: '/orders/1?t=(hidden)',
      },
    });
    expect(line).not.toHaveProperty('request_headers');
  });

  it('shows no key, wherever it comes, and nothing that was substituted', async () => {
    const reader = await tap('?route=partners&query_values=true');
    expect(await get('/partners/a?x=1', { 'x-partner': KEY })).toBe(200);
    expect(await get(`/partners/b?partner=${KEY}&x=1`)).toBe(200);
    expect(await get('/partners/c?x=1', { 'x-partner': `${KEY}-wrong` })).toBe(401);
    await reader.next(({ data }) => data['path'] === '/partners/c');
    const all = JSON.stringify(reader.events);
    expect(all).not.toContain(KEY);
    expect(all).not.toContain(UP);
    expect(
      reader.events.map(({ data }) => [data['consumer'], data['query'], data['code']]),
    ).toEqual([
      ['acme', '?x=1', undefined],
      ['acme', '?partner=(hidden)&x=1', undefined],
      [undefined, '?x=1', 'unauthenticated'],
    ]);
    expect(reader.events[0]!.data['request_headers']).toMatchObject({
      'x-partner': '(hidden)',
      'x-up': '(hidden)',
    });
  });

  it('filters by what was answered, and by whom', async () => {
    const reader = await tap('?status=4xx&limit=2');
    await get('/orders/1');
    await get('/nowhere');
    await get('/partners/1');
    await reader.ended;
    expect(reader.events.map(({ event, data }) => [event, data['status'], data['path']])).toEqual([
      ['exchange', 404, '/nowhere'],
      ['exchange', 401, '/partners/1'],
      ['end', undefined, undefined],
    ]);
  });

  it(
    'lets a reader that stands still lose events, which it is told, while requests go on',
    { timeout: 60_000 },
    async () => {
      const reader = await tap('?rate=10000&path=/orders/load');
      reader.response.pause();
      const large = Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`x-large-${i}`, 'v'.repeat(1_000)]),
      );
      origin.answer = (_asked, response) => {
        response.writeHead(200, large);
        response.end();
      };
      const sent = 1_500;
      const statuses = new Map<number, number>();
      let begun = 0;
      const caller = async (): Promise<void> => {
        while (begun++ < sent) {
          const status = await get('/orders/load', large);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: 8 }, caller));
      expect(statuses).toEqual(new Map([[200, sent]]));
      reader.response.resume();
      const droppedOf = (events: readonly ServerEvent[]): number =>
        events
          .filter(({ event }) => event === 'dropped')
          .reduce((sum, { data }) => sum + (data['slow'] as number), 0);
      const toldOf = (events: readonly ServerEvent[]): number =>
        events.filter(({ event }) => event === 'exchange').length;
      // Each of them was either told of, or counted.
      await reader.next(() => droppedOf(reader.events) + toldOf(reader.events) === sent);
      expect(droppedOf(reader.events)).toBeGreaterThan(0);
      expect(toldOf(reader.events)).toBeGreaterThan(256);
      // And it goes on.
      await get('/orders/load/after');
      const { data } = await reader.next(({ data }) => data['path'] === '/orders/load/after');
      expect(data['status']).toBe(200);
    },
  );
});
