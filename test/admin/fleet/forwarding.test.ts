/** `/v1/nodes/{node}/…`: two real servers, and one that is asked through the other. */
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endedExchange } from '../../gateway/observe/tap-exchange.ts';
import { createTestTap, send, startAdmin, stopAdminsAfterEach } from '../admin-fixture.ts';
import { readEvents } from '../event-reader.ts';
import { askWith, makeToken } from '../token-fixture.ts';
import { describeNode, startFleet, untilKnown } from './fleet-fixture.ts';
import { createRegistry } from '../../../src/mesh/registry/registry.ts';

stopAdminsAfterEach();

describe('the admin API of another node', () => {
  it('answers through any node, to a token of all', async () => {
    const { a, b, token } = await startFleet();
    const { status, headers, body } = await askWith(a, token, '/v1/nodes/b/mesh/nodes?page_size=1');
    expect([status, body['items']]).toEqual([200, [expect.objectContaining({ name: 'a' })]]);
    expect(headers['content-type']).toContain('application/json');
    // What ends at each hop is not passed on.
    expect(headers['connection']).toBe('keep-alive');
    const head = await askWith(a, token, '/v1/nodes/b/mesh/nodes', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, {}]);
    const own = await askWith(b, token, '/v1/nodes/b/mesh/nodes');
    expect(own.status).toBe(200);
  });

  it('takes writes with their bodies, and leads back by the same node', async () => {
    const { a, b, token } = await startFleet();
    const made = await askWith(a, token, '/v1/nodes/b/tokens', {
      method: 'POST',
      body: { name: 'ci', role: 'viewer' },
      // As curl does for large bodies, and old browsers.
      headers: { expect: '100-continue', 'keep-alive': 'timeout=5' },
    });
    expect(made.status).toBe(201);
    const location = made.headers['location'] as string;
    expect(location).toMatch(/^\/v1\/nodes\/b\/tokens\/[0-9a-f]{16}$/);
    expect((await askWith(a, token, location)).body).toMatchObject({ name: 'ci' });
    const removed = await askWith(a, token, location, { method: 'DELETE' });
    expect([removed.status, removed.body]).toEqual([204, {}]);
    expect((await askWith(b, token, location.replace('/nodes/b', ''))).status).toBe(404);
    expect((await askWith(a, token, location, { method: 'HEAD' })).status).toBe(404);
  });

  it('keeps the spelling of the path and the query', async () => {
    const { a, token } = await startFleet();
    await a.register('orders', { id: 'x/y z', host: '10.0.0.1', port: 80 });
    const { status, body } = await askWith(
      a,
      token,
      '/v1/nodes/b/mesh/services/orders/endpoints/x%2Fy%20z/weight',
      { method: 'PUT', body: { weight: 3 } },
    );
    expect([status, body['id'], body['weight']]).toEqual([200, 'x/y z', 3]);
    const listed = await askWith(a, token, '/v1/nodes/b/mesh/endpoints?service=or%64ers');
    expect(listed.body['items']).toHaveLength(1);
  });

  it('says what is wrong with a request, as it would itself', async () => {
    const { a, token } = await startFleet();
    const refused = await askWith(a, token, '/v1/nodes/b/tokens', { method: 'POST', body: {} });
    expect([refused.status, refused.body['code'], refused.body['instance']]).toEqual([
      422,
      'invalid',
      '/v1/tokens',
    ]);
    const large = await askWith(a, token, '/v1/nodes/b/tokens', {
      method: 'POST',
      body: { name: 'x'.repeat(100_000) },
    });
    expect([large.status, large.body['code']]).toEqual([413, 'payload_too_large']);
    const text = await askWith(a, token, '/v1/nodes/b/tokens', {
      method: 'POST',
      body: 'name=a',
      headers: { 'content-type': 'text/plain' },
    });
    expect(text.status).toBe(415);
    expect((await askWith(a, token, '/v1/nodes/b/nothing')).status).toBe(404);
    expect((await askWith(a, token, '/v1/nodes/b')).status).toBe(404);
  });

  it.each(['/v1/nodes/b/../tokens', '/v1/nodes/b/%2e%2e/openapi.json', '/v1/nodes/b/a/..%2f..'])(
    'is not left by %s',
    async (path) => {
      const { a, token } = await startFleet();
      const { status } = await askWith(a, token, path);
      expect([400, 404]).toContain(status);
    },
  );

  it('says who may ask for what', async () => {
    const { a, b } = await startFleet();
    const { token } = await makeToken(a, { name: 'v', role: 'viewer' });
    await untilKnown(b, token);
    expect((await askWith(a, token, '/v1/nodes/b/mesh/nodes')).status).toBe(200);
    const refused = await askWith(a, token, '/v1/nodes/b/tokens');
    expect([refused.status, refused.body['code']]).toEqual([403, 'forbidden']);
    expect(refused.headers['www-authenticate']).toContain('insufficient_scope');
    const stranger = await send(a.port, '/v1/nodes/b/mesh/nodes');
    expect([stranger.status, stranger.body['code']]).toEqual([401, 'unauthenticated']);
  });

  it('is not sent the token of this one, and the refusal says what to do', async () => {
    const { a, b } = await startFleet();
    const seen: string[] = [];
    const thief = createHttpServer((asked, answer) => {
      seen.push(asked.url!);
      answer.end('{}');
    });
    thief.listen(0, '127.0.0.1');
    await once(thief, 'listening');
    onTestFinished(() => void thief.close());
    await describeNode(a.backplane, 'b', `127.0.0.1:${(thief.address() as AddressInfo).port}`);
    const { status, headers, body } = await a.ask('/v1/nodes/b/mesh/nodes');
    expect([status, body['code']]).toEqual([401, 'local_token']);
    expect(body['detail']).toContain('meshgate token create');
    expect(headers['www-authenticate']).toContain('invalid_token');
    expect(seen).toEqual([]);
    expect((await a.ask('/v1/nodes/a/mesh/nodes')).status).toBe(200);
    expect((await askWith(a, b.token, '/v1/nodes/b/mesh/nodes')).status).toBe(401);
  });

  it('is one request in the audit logs of both', async () => {
    const { a, token } = await startFleet();
    const made = await askWith(a, token, '/v1/nodes/b/tokens', {
      method: 'POST',
      body: { name: 'ci', role: 'viewer' },
    });
    const id = made.headers['x-request-id'];
    const entries = async () => {
      const { body } = await askWith(a, token, '/v1/audit');
      const items = body['items'] as Record<string, unknown>[];
      return items.filter((entry) => entry['request_id'] === id);
    };
    await expect.poll(async () => (await entries()).length).toBe(2);
    expect(await entries()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ node: 'a', path: '/v1/nodes/b/tokens', outcome: 'done' }),
        expect.objectContaining({ node: 'b', path: '/v1/tokens', outcome: 'done' }),
      ]),
    );
  });

  it('streams its tap, and stops tapping when the reader has gone', async () => {
    const tap = createTestTap();
    const { a, token } = await startFleet();
    const { backplane } = a;
    const c = await startAdmin({ tap, node: 'c', backplane, registry: createRegistry(backplane) });
    await describeNode(backplane, 'c', `127.0.0.1:${c.port}`);
    const reader = await readEvents(a.port, '/v1/nodes/c/tap?status=404', token);
    expect([reader.status, reader.headers['content-type']]).toEqual([200, 'text/event-stream']);
    const exchange = endedExchange({ status: 404 });
    tap.offer(exchange, { path: '/through' }, 0);
    expect((await reader.next()).data['path']).toBe('/through');
    // Longer than a node may be silent.
    const began = performance.now();
    while (performance.now() - began < 5_500) await reader.beat();
    tap.offer(exchange, { path: '/later' }, 10_000);
    expect((await reader.next()).data['path']).toBe('/later');
    reader.close();
    await expect.poll(() => tap.isTapped).toBe(false);
    const second = await readEvents(a.port, '/v1/nodes/c/tap', token);
    await c.stop();
    await second.ended;
    expect(second.events).toEqual([{ event: 'end', data: { reason: 'stopping' } }]);
  });
});

describe('what was forwarded', () => {
  it('is not forwarded again', async () => {
    const { a, token } = await startFleet();
    const { status, body } = await askWith(a, token, '/v1/nodes/b/nodes/a/mesh/nodes');
    expect([status, body['code']]).toEqual([508, 'forwarding_loop']);
  });

  it('keeps what a client says of itself from the other node', async () => {
    const { a, token } = await startFleet();
    const seen: NodeJS.Dict<string | string[]>[] = [];
    const other = createHttpServer((asked, answer) => {
      seen.push(asked.headers);
      answer.end('{}');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    await describeNode(a.backplane, 'other', `127.0.0.1:${port}`);
    const { headers } = await askWith(a, token, '/v1/nodes/other/config', {
      headers: {
        connection: 'x-named, keep-alive',
        'x-named': 'a',
        te: 'trailers',
        'proxy-authorization': 'Basic YTpi',
        'x-request-id': 'mine',
        'if-none-match': '"1"',
      },
    });
    expect(seen).toEqual([
      {
        authorization: `Bearer ${token}`,
        connection: 'close',
        host: `127.0.0.1:${port}`,
        'if-none-match': '"1"',
        'meshgate-forwarded-by': 'a',
        'meshgate-forwarded-to': 'other',
        'x-request-id': headers['x-request-id'],
      },
    ]);
  });
});

describe('a request id', () => {
  it('is taken from a node that forwards, and from nobody else', async () => {
    const { a } = await startFleet();
    const id = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const by = { 'meshgate-forwarded-by': 'b' };
    const idOf = async (headers: Record<string, string>) =>
      (await a.ask('/v1/mesh/nodes', { headers })).headers['x-request-id'];
    expect(await idOf({ ...by, 'x-request-id': id })).toBe(id);
    expect(await idOf({ 'x-request-id': id })).not.toBe(id);
    expect(await idOf({ ...by, 'x-request-id': '<script>' })).not.toBe('<script>');
  });
});

describe('a body that comes slowly', () => {
  it('arrives whole', async () => {
    const { a, token } = await startFleet();
    const sent = request({
      host: '127.0.0.1',
      port: a.port,
      method: 'POST',
      path: '/v1/nodes/b/tokens',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    sent.write('{"name":"slow",');
    await new Promise((resolve) => setTimeout(resolve, 50));
    sent.end('"role":"viewer"}');
    const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(201);
  });
});
