/** PROXY protocol headers: parsed at every split, believed from trusted peers alone. */
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  parseProxyHeader,
  type ProxyHeader,
} from '../../../src/gateway/listener/proxy-protocol.ts';
import { connectRaw } from '../exchange/raw-client.ts';
import { openListener, selfSigned } from './open-listener.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function v2(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(4);
  head[0] = command;
  head[1] = family;
  head.writeUInt16BE(length, 2);
  return Buffer.concat([SIGNATURE, head, payload]);
}

const ipv4 = Buffer.from('cb007107c000020130390050', 'hex');
const ipv6 = Buffer.from(
  '20010db800000000000000000000000120010db8000000000000000000000002303901bb',
  'hex',
);
const tlv = Buffer.concat([Buffer.from([0x04, 0, 5]), Buffer.from('noop!')]);

const valid: readonly (readonly [string, Buffer, { address: string; port: number } | undefined])[] =
  [
    [
      'v1 TCP4',
      Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 12345 80\r\n'),
      { address: '203.0.113.7', port: 12_345 },
    ],
    [
      'v1 TCP6',
      Buffer.from('PROXY TCP6 2001:DB8::0:1 2001:db8::2 12345 443\r\n'),
      { address: '2001:db8::1', port: 12_345 },
    ],
    ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    ['v1 UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
    ['v2 TCP over IPv4', v2(0x21, 0x11, ipv4), { address: '203.0.113.7', port: 12_345 }],
    ['v2 TCP over IPv6', v2(0x21, 0x21, ipv6), { address: '2001:db8::1', port: 12_345 }],
    [
      'v2 with TLVs',
      v2(0x21, 0x11, Buffer.concat([ipv4, tlv, tlv])),
      { address: '203.0.113.7', port: 12_345 },
    ],
    [
      'v2 IPv4 in IPv6',
      v2(
        0x21,
        0x21,
        Buffer.concat([Buffer.from('00000000000000000000ffffcb007107', 'hex'), ipv6.subarray(16)]),
      ),
      { address: '203.0.113.7', port: 12_345 },
    ],
    ['v2 LOCAL', v2(0x20, 0x00, Buffer.alloc(0)), undefined],
    ['v2 LOCAL with addresses', v2(0x20, 0x11, ipv4), undefined],
    ['v2 UNSPEC', v2(0x21, 0x00, tlv), undefined],
    ['v2 UNIX', v2(0x21, 0x31, Buffer.alloc(216)), undefined],
  ];

describe('parseProxyHeader', () => {
  it.for(valid)('reads %s, split anywhere', ([, bytes, source]) => {
    const followed = Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')]);
    const expected: ProxyHeader = { kind: 'complete', length: bytes.length, source };
    for (let length = 0; length < bytes.length; length++) {
      expect(parseProxyHeader(followed.subarray(0, length))).toEqual({ kind: 'partial' });
    }
    for (let length = bytes.length; length <= followed.length; length++) {
      expect(parseProxyHeader(followed.subarray(0, length))).toEqual(expected);
    }
  });

  it.for([
    ['no header at all', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a TLS handshake', Buffer.from([0x16, 3, 1])],
    ['v1 in lower case', Buffer.from('proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
    ['v1 with another family', Buffer.from('PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n')],
    ['v1 with IPv6 as TCP4', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n')],
    ['v1 with a name', Buffer.from('PROXY TCP4 localhost 1.2.3.4 1 2\r\n')],
    ['v1 with a port too high', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n')],
    ['v1 with a padded port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n')],
    ['v1 with two spaces', Buffer.from('PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
    ['v1 with more than it has', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n')],
    ['v1 without its destination', Buffer.from('PROXY TCP4 1.2.3.4 1\r\n')],
    ['v1 without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`)],
    ['v2 of version 1', v2(0x11, 0x11, ipv4)],
    ['v2 with an unknown command', v2(0x22, 0x11, ipv4)],
    ['v2 with an unknown family', v2(0x21, 0x41, ipv4)],
    ['v2 with an unknown transport', v2(0x21, 0x13, ipv4)],
    ['v2 with its addresses cut off', v2(0x21, 0x11, ipv4.subarray(1))],
    ['v2 of 64 KiB', v2(0x21, 0x11, ipv4, 65_535)],
    [
      'half a v2 signature and then something else',
      Buffer.concat([SIGNATURE.subarray(0, 6), Buffer.from('x')]),
    ],
  ] as const)('refuses %s', ([, bytes]) => {
    expect(parseProxyHeader(bytes).kind).toBe('malformed');
  });
});

describe('a listener with proxyProtocol', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const trusts = (address: string): boolean => address === '127.0.0.1';

  it.for(valid.filter(([name]) => /TCP|LOCAL/.test(name)))(
    'takes the source of %s',
    async ([, bytes, source]) => {
      const { port, door } = await openListener({ proxyProtocol: true, trusts });
      const client = await connectRaw(port);
      await client.send(Buffer.concat([bytes, Buffer.from(request)])).untilText('}');
      expect(door.served[0]!.connection).toMatchObject(
        source ?? { address: '127.0.0.1', port: client.socket.localPort },
      );
      expect(door.served[0]!.connection.trusted).toBe(source === undefined);
    },
  );

  it('takes a header that comes byte by byte', async () => {
    const { port, door } = await openListener({ proxyProtocol: true, trusts });
    const client = await connectRaw(port);
    for (const byte of Buffer.concat([valid[5]![1], Buffer.from(request)])) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.untilText('}');
    expect(door.served[0]!.connection.address).toBe('2001:db8::1');
  });

  it.for(['with the handshake', 'ahead of the handshake'] as const)(
    'takes it before TLS, %s',
    async (when) => {
      const { port, door } = await openListener({
        protocol: 'https',
        tls: selfSigned,
        proxyProtocol: true,
        trusts,
      });
      const header = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 12345 80\r\n');
      const balancer = createServer((client) => {
        const upstream = connectTcp(port, '127.0.0.1');
        if (when === 'ahead of the handshake') upstream.write(header);
        client.once('data', (hello: Buffer) => {
          upstream.write(
            when === 'ahead of the handshake' ? hello : Buffer.concat([header, hello]),
          );
          client.pipe(upstream).pipe(client);
        });
        for (const socket of [client, upstream]) socket.on('error', () => undefined);
      });
      onTestFinished(() => void balancer.close());
      await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
      const secure = connectTls({
        port: (balancer.address() as { port: number }).port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
      });
      onTestFinished(() => void secure.destroy());
      await once(secure, 'secureConnect');
      secure.write(request);
      await once(secure, 'data');
      expect(door.served[0]!.connection).toMatchObject({ address: '203.0.113.7', port: 12_345 });
      expect(door.served[0]!.connection.tls).toBeDefined();
    },
  );

  it('closes on a peer that is not trusted, unread', async () => {
    const { port, door, listener } = await openListener({ proxyProtocol: true });
    const client = await connectRaw(port);
    client.send(`PROXY TCP4 203.0.113.7 192.0.2.1 12345 80\r\n${request}`);
    expect(await client.untilClosed()).toBe('');
    expect(door.served).toEqual([]);
    expect(listener.counts.proxyRefusals).toBe(1);
  });

  it('closes on a connection without the header', async () => {
    const { port, door, listener } = await openListener({ proxyProtocol: true, trusts });
    const client = await connectRaw(port);
    expect(await client.send(request).untilClosed()).toBe('');
    expect(door.served).toEqual([]);
    expect(listener.counts.proxyRefusals).toBe(1);
  });

  it('does not wait for the header longer than for a head', async () => {
    const { port } = await openListener({
      proxyProtocol: true,
      trusts,
      limits: { headerTimeoutMs: 100 },
    });
    const client = await connectRaw(port);
    expect(await client.send('PROXY ').untilClosed()).toBe('');
  });

  it('without it, a PROXY header is no request', async () => {
    const { port, door } = await openListener({ trusts });
    const client = await connectRaw(port);
    await client.send(`PROXY TCP4 203.0.113.7 192.0.2.1 1 80\r\n${request}`).untilText(' 400 ');
    expect(door.served).toEqual([]);
  });
});
