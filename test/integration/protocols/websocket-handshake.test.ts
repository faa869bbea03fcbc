/** The WebSocket handshake and the tunnel behind it, byte by byte on both sides. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswer, type RawClient } from '../../gateway/exchange/raw-client.ts';
import { startRawGateway, type RawGateway } from './raw-gateway.ts';
import { stable } from './stable.ts';
import { BINARY, toFrame } from './websocket-frames.ts';

let gateway: RawGateway;

beforeAll(async () => {
  gateway = await startRawGateway();
});

afterAll(() => gateway?.stop());

// As Chromium sends it; the key and its answer are those of RFC 6455 §1.3.
const BROWSER = [
  'GET /chat?room=1 HTTP/1.1',
  'Host: chat.test:8080',
  'Connection: Upgrade',
  'Pragma: no-cache',
  'Cache-Control: no-cache',
  'User-Agent: Mozilla/5.0',
  'Upgrade: websocket',
  'Origin: https://chat.test',
  'Sec-WebSocket-Version: 13',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Cookie: sid=abc',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other; a="b, c"',
  'Sec-WebSocket-Protocol: chat.v3, chat.v2, binary',
  '\r\n',
].join('\r\n');

const SWITCH = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  '\r\n',
].join('\r\n');

/** Both ends of an open tunnel, with nothing received yet. */
async function openTunnel(): Promise<{ client: RawClient; peer: RawClient }> {
  const client = await gateway.connect();
  client.send(BROWSER);
  const peer = await gateway.origin.nextPeer();
  await peer.untilText('\r\n\r\n');
  peer.send(SWITCH);
  await client.untilText('\r\n\r\n');
  return { client, peer };
}

const bodyOf = ({ text }: RawClient): string => text.slice(text.indexOf('\r\n\r\n') + 4);

describe('a handshake', () => {
  it("brings all that the browser offers to the upstream, and the upstream's own choice back", async () => {
    const client = await gateway.connect();
    client.send(BROWSER);
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\n');
    const lines = peer.text.split('\r\n');
    expect(lines[0]).toBe('GET /chat?room=1 HTTP/1.1');
    expect(lines).toEqual(
      expect.arrayContaining([
        'Host: chat.test:8080',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Origin: https://chat.test',
        'Cookie: sid=abc',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other; a="b, c"',
        'Sec-WebSocket-Protocol: chat.v3, chat.v2, binary',
      ]),
    );
    expect(
      lines.filter((line) => /^(connection|upgrade|sec-websocket-key):/i.test(line)),
    ).toHaveLength(3);
    peer.send(
      SWITCH.replace(
        'Sec-WebSocket-Accept',
        'Sec-WebSocket-Protocol: chat.v2\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: own\r\nSec-WebSocket-Accept',
      ),
    );
    await client.untilText('\r\n\r\n');
    expect(client.text.split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      expect.stringMatching(/^X-Request-Id: [-0-9a-f]{36}$/),
      'Sec-WebSocket-Protocol: chat.v2',
      'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Server: own',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      '',
      '',
    ]);
  });

  it.for([
    ['401 Unauthorized', 'WWW-Authenticate: Bearer realm="chat"'],
    ['403 Forbidden', 'X-Why: origin'],
    ['404 Not Found', 'X-Why: room'],
    ['426 Upgrade Required', 'Sec-WebSocket-Version: 13, 8'],
    ['302 Found', 'Location: https://elsewhere.test/'],
    ['200 OK', 'X-Why: no idea of upgrades'],
  ])('that the upstream answers with %s is answered so, body included', async ([line, field]) => {
    const client = await gateway.connect();
    client.send(BROWSER);
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\n');
    peer.send(
      `HTTP/1.1 ${line}\r\n${field}\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nbecause`,
    );
    const { head, body } = parseAnswer(await client.untilEnd());
    expect(head.split('\r\n')).toEqual(
      expect.arrayContaining([
        `HTTP/1.1 ${line}`,
        field,
        'Content-Type: text/plain',
        'Content-Length: 7',
      ]),
    );
    expect(body).toBe('because');
  });

  it('that the upstream switches to something else is answered with 502', async () => {
    const client = await gateway.connect();
    client.send(BROWSER);
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\n');
    peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
    const { status, body } = parseAnswer(await client.untilEnd());
    expect(status).toBe(502);
    expect(body).toContain('upstream_protocol_error');
    await peer.untilEnd();
  });

  it('without a key is left to the upstream to refuse', async () => {
    const client = await gateway.connect();
    client.send(BROWSER.replace(/Sec-WebSocket-Key: .*\r\n/, ''));
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\n');
    expect(peer.text).not.toMatch(/sec-websocket-key/i);
    peer.send('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno');
    expect(parseAnswer(await client.untilEnd())).toMatchObject({ status: 400, body: 'no' });
  });

  it('given up by the client while it waits is given up at the upstream', async () => {
    const client = await gateway.connect();
    client.send(BROWSER);
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\n');
    client.socket.resetAndDestroy();
    await peer.untilEnd();
    expect(peer.text.endsWith('\r\n\r\n')).toBe(true);
  });

  it('may have the first frames of either side at its heels', async () => {
    const client = await gateway.connect();
    client.send(`${BROWSER}early up`);
    const peer = await gateway.origin.nextPeer();
    await peer.untilText('\r\n\r\n');
    peer.send(`${SWITCH}early down`);
    await client.untilText('\r\n\r\nearly down');
    await peer.untilText('\r\n\r\nearly up');
    expect([bodyOf(client), bodyOf(peer)]).toEqual(['early down', 'early up']);
  });
});

describe('a tunnel', { timeout: 60_000 }, () => {
  it('ends one way at a time', async () => {
    const { client, peer } = await openTunnel();
    client.socket.end('last words');
    await peer.until(({ ended }) => ended);
    expect(bodyOf(peer)).toBe('last words');
    peer.send('and an answer');
    await client.untilText('and an answer');
    peer.socket.end('.');
    expect(await client.untilEnd()).toMatch(/and an answer\.$/);
  });

  it.for(['client', 'peer'] as const)(
    'of which the %s resets its side is closed on the other',
    async (first) => {
      const ends = await openTunnel();
      const other = first === 'client' ? ends.peer : ends.client;
      ends[first].socket.resetAndDestroy();
      expect(await other.untilEnd()).toMatch(/\r\n\r\n$/);
    },
  );

  it.for([
    ['server', 'client'],
    ['client', 'server'],
  ] as const)('holds the %s back while the %s does not read', async ([fast]) => {
    const { client, peer } = await openTunnel();
    const [from, to] = fast === 'server' ? [peer, client] : [client, peer];
    // One frame, for it is the bytes that count.
    const message = toFrame(BINARY, Buffer.alloc(64 * 1024 * 1024), { masked: false });
    const total = message.length;
    const before = to.bytes;
    const sentBefore = from.socket.bytesWritten;
    to.socket.pause();
    from.socket.write(message);
    // What kernel and gateway take is little; the rest stays with the sender.
    const accepted = await stable(
      () => from.socket.bytesWritten - sentBefore - from.socket.writableLength,
    );
    expect(accepted).toBeLessThan(total / 2);
    to.socket.resume();
    await to.until(({ bytes }) => bytes - before === total);
    expect(to.bytes - before).toBe(total);
  });
});
