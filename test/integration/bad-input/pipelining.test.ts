/** Clients that ask for much at once, or end their side while they wait. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, DOORS, get, knock } from './doors.ts';
import { startScriptedUpstream, type ScriptedUpstream } from './scripted-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let upstream: ScriptedUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  gateway = await startGateway({
    services: { app: { endpoints: [{ address: upstream.address }] } },
    routes: [{ name: 'all', to: 'app' }],
  });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

describe('two thousand requests in one packet', () => {
  it.for(DOORS)('reach the upstream one at a time, and all are answered: %s', async (door) => {
    let waiting = 0;
    let most = 0;
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    upstream.script = (socket, target) => {
      if (target !== '/slow') {
        socket.write(OK);
        return;
      }
      most = Math.max(most, ++waiting);
      void held.then(() => {
        waiting--;
        socket.write(OK);
      });
    };
    const client = await knock(gateway, door);
    client.send('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2000));
    await expect.poll(() => waiting).toBe(1);
    // Nobody else is kept out by them.
    expect((await ask(gateway, get('/other'))).status).toBe(200);
    release!();
    await client.until(({ text }) => text.split('HTTP/1.1 200').length === 2001);
    expect(most).toBe(1);
  });
});

describe('a client that ends its side', () => {
  it.for(DOORS)('after a request with Connection: close gets its answer: %s', async (door) => {
    let answer: (() => void) | undefined;
    upstream.script = (socket, target) => {
      if (target === '/half') answer = () => void socket.write(OK);
      else socket.write(OK);
    };
    const client = await knock(gateway, door);
    client.send(get('/half')).socket.end();
    await expect.poll(() => answer).toBeDefined();
    // What was sent before these has been read by then.
    for (let n = 0; n < 2; n++) await ask(gateway, get('/other'), door);
    answer!();
    expect(await client.untilClosed()).toMatch(
      // On a busy machine it may be asked first whether it is still there.
      /^(?:HTTP\/1.1 100 Continue\r\n\r\n)*HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/,
    );
    expect(await gateway.waitForLog(({ path }) => path === '/half')).toMatchObject({ status: 200 });
  });

  it.for(DOORS)('amid its body gets nothing, and that is logged: %s', async (door) => {
    upstream.script = () => undefined;
    const client = await knock(gateway, door);
    const path = `/cut-${door}`;
    client.send(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc`);
    client.socket.end();
    expect(await client.untilClosed()).toBe('');
    expect(await gateway.waitForLog((line) => line['path'] === path)).toMatchObject({
      status: 499,
      code: 'client_closed_request',
    });
  });
});
