/** A change by the admin API of a running gateway, from the request to the traffic. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../redis/free-port.ts';
import { startGateway, until } from '../gateway-fixture.ts';
import { listen } from '../protocols/origins.ts';

interface Asked {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly etag: string | null;
}

async function start(config: Record<string, unknown>) {
  const port = await freePort();
  const gateway = await startGateway({ admin: { address: `127.0.0.1:${port}` }, ...config });
  onTestFinished(() => gateway.stop());
  const token = await readFile(join(gateway.directory, '.meshgate/admin-token'), 'utf8');
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Asked> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token.trim()}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      etag: answer.headers.get('etag'),
    };
  };
  const serves = (path: string, expected: string): Promise<true> =>
    until(async () => {
      const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`);
      return (await answer.text()).includes(expected) ? true : undefined;
    });
  return { gateway, ask, serves };
}

it('is served once it is accepted, and taken back by a rollback', { timeout: 60_000 }, async () => {
  const origin = await listen(createServer((_asked, response) => response.end('from orders')));
  onTestFinished(() => origin.close());
  const { ask, serves } = await start({});
  await serves('/orders', 'no_route');
  const service = { endpoints: [{ address: `127.0.0.1:${origin.port}` }] };
  expect(await ask('PUT', '/v1/services/orders', service)).toMatchObject({ status: 201 });
  const route = { match: [{ path: '/orders' }], to: 'orders' };
  expect(await ask('PUT', '/v1/routes/orders', route)).toMatchObject({ status: 201 });
  await serves('/orders', 'from orders');
  // The same again is no change.
  expect(await ask('PUT', '/v1/routes/orders', route)).toMatchObject({ status: 200 });
  const versions = await ask('GET', '/v1/config/versions');
  expect(versions.body['items']).toHaveLength(2);

  const dangling = await ask('PUT', '/v1/routes/lost', {
    match: [{ path: '/lost' }],
    to: 'nobody',
  });
  expect(dangling).toMatchObject({
    status: 422,
    body: { errors: [expect.objectContaining({ pointer: '#/to' })] },
  });

  const explained = await ask('POST', '/v1/explain', {
    method: 'GET',
    url: 'http://any.test/orders',
  });
  expect(explained).toMatchObject({ status: 200, body: { forward: { service: 'orders' } } });

  expect(await ask('POST', '/v1/config/rollback', { version: 1 })).toMatchObject({ status: 201 });
  await serves('/orders', 'no_route');
  const shown = await until(async () => {
    const { body } = await ask('GET', '/v1/config/versions/3');
    const nodes = body['nodes'] as readonly { readonly state: string }[];
    return nodes.length === 1 && nodes[0]!.state === 'applied' ? body : undefined;
  });
  expect(shown).toMatchObject({ version: 3, rollback_of: 1 });
});

it('is refused where the file has the routes, which can be read', { timeout: 60_000 }, async () => {
  const routes = [
    { name: 'hello', match: { path: '/hello' }, respond: { status: 200, body: 'hi' } },
  ];
  const { ask, gateway } = await start({ routes });
  expect(await ask('GET', '/v1/routes/hello')).toMatchObject({
    status: 200,
    body: { respond: { body: 'hi' } },
  });
  const refused = await ask('DELETE', '/v1/routes/hello');
  expect(refused).toMatchObject({ status: 409, body: { code: 'config_owned_by_file' } });

  // Once the file lets go of them, the backplane has them.
  await gateway.reconfigure({ admin: undefined });
  const made = await until(async () => {
    const answer = await ask('PUT', '/v1/routes/new', { ...routes[0], name: 'new' });
    return answer.status === 409 ? undefined : answer;
  });
  expect(made).toMatchObject({ status: 201 });
});
