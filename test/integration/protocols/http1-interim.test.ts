/** Interim answers of HTTP/1.1 through the whole gateway, byte by byte on both sides: 103, and 100 for those who wait for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRawGateway, type RawGateway } from './raw-gateway.ts';

let gateway: RawGateway;

beforeAll(async () => {
  gateway = await startRawGateway();
});

afterAll(() => gateway?.stop());

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';

describe('an interim answer', () => {
  it('reaches the client before the final one', async () => {
    const client = await gateway.connect();
    client.send(GET);
    const peer = await gateway.origin.nextPeer();
    await peer.untilHead();
    peer.send(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\nX: 1\r\n\r\n',
    );
    await client.untilText('\r\n\r\n');
    expect(client.text).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
    peer.send(
      'HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    await client.untilText('\r\n\r\nok');
    expect(client.text).toMatch(/<\/b.css>\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  });
});

describe('Expect: 100-continue', () => {
  const expecting =
    'PUT /up HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n';

  it("is relayed, and the client gets the upstream's 100 and no other", async () => {
    const client = await gateway.connect();
    client.send(expecting);
    const peer = await gateway.origin.nextPeer();
    expect(await peer.untilHead()).toMatch(/\r\nExpect: 100-continue/);
    expect(client.text).toBe('');
    peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('body');
    await peer.untilText('\r\n\r\nbody');
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.untilText('\r\n\r\nok');
    expect(client.text.match(/HTTP\/1.1 /g)).toHaveLength(2);
  });

  it.for(['417 Expectation Failed', '401 Unauthorized', '200 OK'])(
    'answered with %s keeps the body from the upstream',
    async (line) => {
      const client = await gateway.connect();
      client.send(expecting);
      const peer = await gateway.origin.nextPeer();
      await peer.untilHead();
      peer.send(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nno`);
      await client.untilText('\r\n\r\nno');
      expect(client.text).toMatch(new RegExp(`^HTTP/1.1 ${line}\r\n`));
      // The client may send the body all the same: it must not pass for a next request.
      client.send('GET ');
      await client.untilEnd();
      await peer.untilEnd();
      expect(peer.text.endsWith('\r\n\r\n')).toBe(true);
      expect(client.text.match(/HTTP\/1.1 /g)).toHaveLength(1);
    },
  );
});
