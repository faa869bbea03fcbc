/** Hot reload of `listeners`: added, removed, renamed, and changed in place. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRaw } from '../../gateway/exchange/raw-client.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { createRecordedLog } from './recorded-log.ts';
import { startOrigin, type Origin } from './origin.ts';
import { freePort } from '../../redis/free-port.ts';

let gateway: TestGateway;
let origin: Origin;
let one: number;
let two: number;

const http = (name: string, port: number, more: object = {}): object => ({
  name,
  address: `127.0.0.1:${port}`,
  ...more,
});

function withListeners(...listeners: object[]): Record<string, unknown> {
  return {
    listeners,
    services: { origin: { endpoints: [{ address: origin.address }] } },
    routes: [{ name: 'all', to: 'origin' }],
  };
}

const log = createRecordedLog();
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

beforeAll(async () => {
  origin = await startOrigin('origin');
  [one, two] = [await freePort(), await freePort()];
  gateway = await startGateway(withListeners(http('http', one)), {}, log);
});
afterAll(() => Promise.all([gateway.stop(), origin.stop()]));

async function apply(config: object): Promise<void> {
  expect(await gateway.reconfigure(config)).toMatchObject({ successful: true });
}

it('opens one that is added, and drains one that is removed', async () => {
  await apply(withListeners(http('http', one), http('more', two)));
  const place = { listener: 'more', address: `http://127.0.0.1:${two}` };
  expect((await log.entry(/listener was opened/)).fields).toEqual(place);
  expect((await ask(two, '/')).body).toBe('origin');

  let finish: () => void = () => undefined;
  origin.answer = (_asked, response) => {
    finish = () => response.end('at last');
  };
  const inFlight = ask(two, '/');
  await origin.request(origin.asked.length + 1);
  await apply(withListeners(http('http', one)));
  await expect(ask(two, '/')).rejects.toThrow(/ECONNREFUSED/);
  expect((await log.entry(/takes no more connections/)).fields).toEqual(place);
  expect(log.entries.filter(({ message }) => message.startsWith('a listener '))).toHaveLength(2);
  finish();
  expect(await inFlight).toMatchObject({ status: 200, body: 'at last' });
  origin.answer = (_asked, response) => response.end('origin');
});

it('renames one without closing a connection', async () => {
  const client = await connectRaw(one);
  await client.send(GET).untilText('origin');
  await apply(withListeners(http('front', one)));
  await client
    .send(GET)
    .until(({ text }) => text.match(/HTTP\/1\.1 200 [^]*?origin/g)?.length === 2);
  expect(await gateway.metrics()).toMatch(/^meshgate_connections\{listener="front"\} [1-9]/m);
});

it('changes limits and names in place', async () => {
  const client = await connectRaw(one);
  await client.send(GET).untilText('origin');
  await apply(
    withListeners(
      http('front', one, { hosts: ['a.test'], limits: { body: '3' } }),
      http('more', two, { hosts: ['b.test'] }),
    ),
  );
  expect((await ask(one, '/', { method: 'POST', body: '1234', host: 'a.test' })).status).toBe(413);
  expect(codeOf(await ask(one, '/', { host: 'b.test' }))).toBe('misdirected_request');
  // The connection that was there before is held to the new settings, and lives.
  await client.send('GET / HTTP/1.1\r\nHost: b.test\r\n\r\n').untilText('misdirected_request');
});

it('changes nothing where an address is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const before = withListeners(http('front', one), http('more', two));
  await apply(before);
  const free = await freePort();
  const report = await gateway.reconfigure(
    withListeners(http('free', free), http('front', one), http('taken', port)),
  );
  taken.close();
  expect(report.successful).toBe(false);
  expect(report.errors.join()).toContain(String(port));
  expect((await ask(one, '/')).status).toBe(200);
  expect((await ask(two, '/')).status).toBe(200);
  await expect(ask(free, '/')).rejects.toThrow(/ECONNREFUSED/);
});
