/** A client that leaves, at whatever stage, takes its call to the upstream with it. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRaw } from '../../gateway/exchange/raw-client.ts';
import { knock } from '../bad-input/doors.ts';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { openSession } from './http2-client.ts';
import { listen, rawService, startRawOrigin, type RawOrigin, type TestOrigin } from './origins.ts';
import { stable } from './stable.ts';

/** More than all the buffers on the way together. */
const MUCH = 64 * 1024 * 1024;
const CLIENT_GONE = 'client_closed_request';

let raw: RawOrigin;
let keys: TestOrigin;
let gateway: TestGateway;

beforeAll(async () => {
  raw = await startRawOrigin();
  // Never answers, so that a plugin waits for it.
  keys = await listen(createServer(() => undefined));
  const jwks = `http://127.0.0.1:${keys.port}/keys`;
  gateway = await startGateway({
    services: { raw: rawService(raw) },
    routes: [
      { name: 'raw', match: { path: '/raw/*' }, to: 'raw' },
      {
        name: 'guarded',
        match: { path: '/guarded' },
        to: 'raw',
        plugins: [
          {
            jwt: { issuer: 'https://id.test', audience: 'test', jwks, allowPrivateAddresses: true },
          },
        ],
      },
    ],
  });
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([raw?.close(), keys?.close()]);
});

const codeOf = async (path: string): Promise<unknown> =>
  (await gateway.waitForLog((line) => line['path'] === path))['code'];

/** Of the answer, once some of it has come. Resolves to how it was logged, once the upstream has heard of it. */
async function leaveInTheMiddle(path: string, fields = ''): Promise<unknown> {
  const client = await connectRaw(gateway.httpPort);
  client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  const peer = await raw.nextPeer();
  await peer.untilText('\r\n\r\n');
  peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome');
  await client.untilText('some');
  client.socket.destroy();
  await peer.untilEnd();
  return codeOf(path);
}

describe('a client that leaves', () => {
  it('before the answer ends the call to the upstream', async () => {
    const client = await connectRaw(gateway.httpPort);
    client.send('GET /raw/before-head HTTP/1.1\r\nHost: a\r\n\r\n');
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    client.socket.destroy();
    await peer.untilEnd();
    expect(await codeOf('/raw/before-head')).toBe(CLIENT_GONE);
  });

  it('in the middle of the answer ends the call to the upstream', async () => {
    expect(await leaveInTheMiddle('/raw/mid-body')).toBe(CLIENT_GONE);
  });

  it('in the middle of the answer while it is held back ends the call to the upstream', async () => {
    const client = await connectRaw(gateway.httpPort);
    client.send('GET /raw/held-back HTTP/1.1\r\nHost: a\r\n\r\n');
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    client.socket.pause();
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${MUCH}\r\n\r\n`).send(Buffer.alloc(MUCH));
    await stable(() => peer.socket.bytesWritten - peer.socket.writableLength);
    client.socket.destroy();
    await peer.until(({ ended, closed }) => ended || closed);
    expect(await codeOf('/raw/held-back')).toBe(CLIENT_GONE);
  });

  it('during its upload ends the call, and the upload does not look complete', async () => {
    const client = await connectRaw(gateway.httpPort);
    client.send(
      'POST /raw/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    );
    const peer = await raw.nextPeer();
    await peer.untilText('3\r\nabc\r\n');
    client.socket.destroy();
    await peer.until(({ ended, closed }) => ended || closed);
    expect(peer.text).toMatch(/3\r\nabc\r\n$/);
    expect(await codeOf('/raw/upload')).toBe(CLIENT_GONE);
  });

  it('during its upload over HTTP/2 ends the call, and the upload does not look complete', async () => {
    const upload = openSession(gateway, true).request({
      ':path': '/raw/upload-h2',
      ':method': 'POST',
    });
    upload.on('error', () => undefined);
    upload.write('abc');
    const peer = await raw.nextPeer();
    await peer.untilText('3\r\nabc\r\n');
    upload.session!.destroy();
    await peer.until(({ ended, closed }) => ended || closed);
    expect(peer.text).toMatch(/3\r\nabc\r\n$/);
    expect(await codeOf('/raw/upload-h2')).toBe(CLIENT_GONE);
  });

  it('while it waits for the 100 of the upstream ends the call', async () => {
    const client = await connectRaw(gateway.httpPort);
    client.send(
      'PUT /raw/expecting HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    client.socket.destroy();
    await peer.untilEnd();
    expect(await codeOf('/raw/expecting')).toBe(CLIENT_GONE);
  });

  it('while a plugin still thinks is never forwarded', async () => {
    const before = raw.accepted;
    const client = await connectRaw(gateway.httpPort);
    const token = [{ alg: 'RS256', kid: 'a' }, { iss: 'https://id.test' }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    client.send(
      `GET /guarded HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}.${'A'.repeat(342)}\r\n\r\n`,
    );
    // A second request on another connection shows that the first has arrived.
    const witness = await connectRaw(gateway.httpPort);
    witness.send('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n');
    await witness.untilText('no_route');
    expect(client.text).toBe('');
    client.socket.destroy();
    expect(await codeOf('/guarded')).toBe(CLIENT_GONE);
    expect(raw.accepted).toBe(before);
  });
});

describe('a client that had said Connection: close, and leaves', () => {
  it.for(['http', 'https'] as const)(
    'before the answer ends the call to the upstream: %s',
    async (door) => {
      const client = await knock(gateway, door);
      client.send(`GET /raw/closing-${door} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      const peer = await raw.nextPeer();
      await peer.untilText('\r\n\r\n');
      client.socket.destroy();
      await peer.untilEnd();
      expect(await codeOf(`/raw/closing-${door}`)).toBe(CLIENT_GONE);
    },
  );

  it('in the middle of the answer ends the call to the upstream', async () => {
    const code = await leaveInTheMiddle('/raw/closing-body', 'Connection: close\r\n');
    expect(code).toBe(CLIENT_GONE);
  });

  it('but only ended its side, is asked once and gets its answer', async () => {
    const client = await connectRaw(gateway.httpPort);
    client.send('GET /raw/waiting HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').socket.end();
    const peer = await raw.nextPeer();
    await peer.untilText('\r\n\r\n');
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    // Long enough for it to be taken for one that left.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsome');
    expect(await client.untilClosed()).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n[^]*some$/,
    );
  });
});
