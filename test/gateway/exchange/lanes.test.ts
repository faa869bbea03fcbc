/** All lanes of a listener as one: what they carry together, and how they take their leave. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createLanes, type Lanes } from '../../../src/gateway/exchange/lanes.ts';
import { toFacts, toLaneLimits } from '../../../src/gateway/listener/listener-facts.ts';
import { clock, toConfig } from '../listener/open-listener.ts';
import { FakeDoor } from './fake-door.ts';
import { connectRaw, exchange } from './raw-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** For the full lane. */
const OLD = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';

let lanes: Lanes;
let port: number;
let accepted: Socket[];

beforeEach(async () => {
  const config = toConfig({ lane: 'auto' });
  lanes = await createLanes({
    lane: config.lane,
    door: new FakeDoor(),
    view: { facts: toFacts(config, 0) },
    limits: toLaneLimits(config),
    clock,
    onFlood: () => undefined,
  });
  accepted = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    lanes.http1(socket, { address: '127.0.0.1', port: 1, trusted: false, tls: undefined });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
  onTestFinished(async () => {
    server.close();
    await lanes.close();
  });
});

it('count a connection that was handed over once, and no more when it has closed', async () => {
  const client = await connectRaw(port);
  await exchange(client, GET);
  expect(lanes.connections).toBe(1);
  await exchange(client, OLD);
  expect(lanes.connections).toBe(1);
  const closed = once(accepted[0]!, 'close');
  client.socket.destroy();
  await closed;
  expect(lanes.connections).toBe(0);
});

it.for([
  ['HTTP/1.1', GET],
  ['HTTP/1.0', OLD],
] as const)('say close to a client of %s that comes when they drain', async ([, request]) => {
  lanes.drain();
  const client = await connectRaw(port);
  expect(await client.send(request).untilEnd()).toMatch(/\r\nConnection: close\r\n/i);
});
