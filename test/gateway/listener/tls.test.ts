/** HTTPS listeners: protocols, ciphers, client certificates. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FakeDoor } from '../exchange/fake-door.ts';
import { createAuthority, type Pem } from './certificates.ts';
import { openListener, selfSigned } from './open-listener.ts';
import { get, handshake, temporaryFolder } from './tls-client.ts';

const https = { protocol: 'https', tls: selfSigned } as const;

describe('an https listener', () => {
  it('speaks HTTP/1.1 where the client does', async () => {
    const { port, door } = await openListener(https);
    const socket = await handshake(port, { servername: 'LocalHost', ALPNProtocols: ['http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    expect(await get(socket)).toMatch(/^HTTP\/1.1 200 /);
    expect(door.served[0]!.connection).toMatchObject({
      protocol: 'http/1.1',
      address: '127.0.0.1',
      tls: { serverName: 'localhost', version: 'TLSv1.3', clientCertificate: undefined },
    });
    expect(door.served[0]!.connection.tls!.cipher).toBe('TLS_AES_128_GCM_SHA256');
    expect(door.served[0]!.connection.listener.scheme).toBe('https');
  });

  it('speaks HTTP/1.1 to a client without ALPN', async () => {
    const { port } = await openListener(https);
    expect(await get(await handshake(port))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('speaks HTTP/2 by ALPN', async () => {
    const { port, door } = await openListener(https);
    const client = http2.connect(`https://localhost:${port}`, { rejectUnauthorized: false });
    onTestFinished(() => client.destroy());
    const stream = client.request({ ':path': '/h2' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    expect(door.served[0]!.connection).toMatchObject({
      protocol: 'h2',
      tls: { serverName: 'localhost' },
    });
  });

  it('takes no HTTP/2 preface from a client that did not agree on it', async () => {
    const { port, door } = await openListener(https);
    const socket = await handshake(port);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += (chunk as Buffer).toString();
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(door.served).toEqual([]);
    expect(door.refused).toHaveLength(1);
  });

  it.for([
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    [
      'CBC ciphers',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA' },
    ],
    ['another protocol', { ALPNProtocols: ['spdy/3'] }],
  ] as const)('refuses %s', async ([, options]) => {
    const { port, listener } = await openListener(https);
    await expect(handshake(port, options as ConnectionOptions)).rejects.toThrow(
      /alert|disconnected|ECONNRESET/,
    );
    await expect.poll(() => listener.counts.tlsFailures).toBe(1);
    expect(await get(await handshake(port))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('survives bytes that are no handshake, and names that are no names', async () => {
    const { port, listener } = await openListener(https);
    const plain = connectTcp(port, '127.0.0.1');
    plain.on('error', () => undefined);
    plain.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    plain.resume();
    await once(plain, 'close');
    expect(listener.counts.tlsFailures).toBe(1);
    for (const servername of ['__proto__', 'x'.repeat(255), '..', 'ünï']) {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername });
      socket.on('error', () => undefined);
      await once(socket, 'close', { signal: AbortSignal.timeout(100) }).catch(() => undefined);
      socket.destroy();
    }
    expect(await get(await handshake(port))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('lets TLS 1.2 clients in, and none when 1.3 is the least', async () => {
    const old = { maxVersion: 'TLSv1.2' } as const;
    const { port } = await openListener(https);
    expect((await handshake(port, old)).getProtocol()).toBe('TLSv1.2');
    const strict = await openListener({ ...https, tls: { ...selfSigned, minVersion: '1.3' } });
    await expect(handshake(strict.port, old)).rejects.toThrow(/alert|disconnected|ECONNRESET/);
  });
});

describe('client certificates', () => {
  async function open(clientAuth: 'request' | 'require'): Promise<{
    readonly port: number;
    readonly door: FakeDoor;
    readonly trusted: Pem;
    readonly stranger: Pem;
  }> {
    const folder = await temporaryFolder();
    const authority = await createAuthority();
    const clientCa = join(folder, 'ca.pem');
    await writeFile(clientCa, authority.cert);
    const { port, door } = await openListener({
      protocol: 'https',
      tls: { ...selfSigned, clientCa, clientAuth },
    });
    return {
      port,
      door,
      trusted: await authority.issue('alice', ['alice']),
      stranger: await (await createAuthority()).issue('mallory', ['mallory']),
    };
  }

  it.for(['localhost', 'unknown.example'])(
    'are shown where they are verified (%s)',
    async (servername) => {
      const { port, door, trusted } = await open('require');
      await get(await handshake(port, { ...trusted, servername }));
      expect(door.served[0]!.connection.tls!.clientCertificate).toMatchObject({
        subject: 'CN=alice',
      });
      expect(door.served[0]!.connection.tls!.clientCertificate!.fingerprint256).toMatch(
        /^([0-9A-F]{2}:){31}/,
      );
    },
  );

  it.for(['none', 'stranger'] as const)('are required: %s is not served', async (which) => {
    const { port, door, stranger } = await open('require');
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(which === 'stranger' ? stranger : {}),
    });
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.resume();
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect(door.served).toEqual([]);
  });

  it('are asked for: without one, or with a stranger’s, a client is served as nobody', async () => {
    const { port, door, trusted, stranger } = await open('request');
    await get(await handshake(port));
    await get(await handshake(port, stranger));
    await get(await handshake(port, trusted));
    expect(door.served.map(({ connection }) => connection.tls!.clientCertificate?.subject)).toEqual(
      [undefined, undefined, 'CN=alice'],
    );
  });
});
