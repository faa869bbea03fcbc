/** A listener's life: start, limits, update, drain, stop. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import { createListener, type Listener } from '../../../src/gateway/listener/listener.ts';
import { ListenError, toListenError } from '../../../src/gateway/listener/listen-error.ts';
import { sniffProtocol } from '../../../src/gateway/listener/protocol-sniff.ts';
import { joinTunnel } from '../../../src/gateway/forward/tunnel.ts';
import type { Downstream } from '../../../src/gateway/exchange/lane.ts';
import { FakeDoor } from '../exchange/fake-door.ts';
import { connectRaw } from '../exchange/raw-client.ts';
import { clock, createLog, openListener, toConfig } from './open-listener.ts';

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Answers only when told to. */
function createWaitingDoor(): FakeDoor & { readonly waiting: Downstream[] } {
  const waiting: Downstream[] = [];
  return Object.assign(new FakeDoor((_intake, downstream) => void waiting.push(downstream)), {
    waiting,
  });
}

describe('starting a listener', () => {
  it('tells its port', async () => {
    const { port, listener } = await openListener({ hosts: ['a.example'] });
    expect(port).toBeGreaterThan(0);
    expect(listener.facts).toEqual({
      isCut: false,
      name: 'test',
      port,
      scheme: 'http',
      hosts: ['a.example'],
      maxBodyBytes: 10 * 1024 * 1024,
      maxTargetBytes: 8192,
    });
  });

  it('fails on a port that is taken, naming the listener, the address and a remedy', async () => {
    const { port } = await openListener();
    const second: Listener = createListener(
      { config: toConfig({ name: 'second', port }), dataDir: '/none', trusts: () => false },
      { door: new FakeDoor(), log: createLog(), clock },
    );
    const error: unknown = await second.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
    expect((error as Error).message).toMatch(
      new RegExp(`^Listener "second" cannot listen on 127\\.0\\.0\\.1:${port}: .*Stop it, or give`),
    );
  });

  it('names the key of the configuration for what is none of its listeners', () => {
    const error = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
    const place = { host: '127.0.0.1', port: 8007 };
    const told = toListenError(error, { name: 'status', ...place, own: 'status' }).message;
    expect(told).toMatch(
      /^"status" \(the node's own address for probes and metrics, none of the listeners\) cannot/,
    );
    expect(told).toMatch(/Stop it, or set `status\.address` to another address\.$/);
    for (const [door, key] of [
      ['outbound', '`outbound.address`'],
      ['inbound', '`register`'],
    ] as const) {
      expect(toListenError(error, { name: `mesh:${door}`, ...place, door }).message).toContain(key);
    }
  });

  it.for([
    ['EACCES', '0.0.0.0', 80, 'CAP_NET_BIND_SERVICE'],
    ['EADDRNOTAVAIL', '::2', 80, '[::2]:80'],
    ['EMFILE', 'x', 1, 'too many'],
  ] as const)('words %s', ([code, host, port, part]) => {
    const error = Object.assign(new Error('too many'), { code });
    expect(toListenError(error, { name: 'edge', host, port }).message).toContain(part);
  });

  it('shares its port where that is wanted', async () => {
    const door = new FakeDoor();
    const make = (port: number): Listener =>
      createListener(
        { config: toConfig({ port }), dataDir: '/none', trusts: () => false, reusePort: true },
        { door, log: createLog(), clock },
      );
    const first = make(0);
    const { port } = await first.start();
    const second = make(port);
    expect(await second.start()).toEqual({ port });
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('the protocol of a plain connection', () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

  it('is told as early as can be', () => {
    expect(sniffProtocol(Buffer.from('G'))).toBe('http1');
    expect(sniffProtocol(Buffer.from('P'))).toBeUndefined();
    expect(sniffProtocol(Buffer.from('PO'))).toBe('http1');
    expect(sniffProtocol(Buffer.from('PRI * HTTP/1.1\r\n'))).toBe('http1');
    for (let length = 1; length < 16; length++) {
      expect(sniffProtocol(preface.subarray(0, length))).toBeUndefined();
    }
    expect(sniffProtocol(preface.subarray(0, 16))).toBe('h2');
    expect(sniffProtocol(preface)).toBe('h2');
  });

  it.for([1, 2, 15, 16, 24, 40])('is told when the bytes come in pieces of %i', async (size) => {
    const { port } = await openListener();
    const h1 = await connectRaw(port);
    const h2 = await connectRaw(port);
    const frames = Buffer.concat([preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
    for (const [client, bytes] of [
      [h1, Buffer.from('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc')],
      [h2, frames],
    ] as const) {
      for (let at = 0; at < bytes.length; at += size) {
        client.send(bytes.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await h1.untilText('"body":"abc"');
    // The first frame of a server is SETTINGS.
    await h2.until(({ received }) => received.length >= 9);
    expect(h2.received[3]).toBe(4);
  });
});

describe('limits of a listener', () => {
  it('closes connections above the most it may have, and takes new ones after', async () => {
    const { port, listener } = await openListener({ limits: { maxConnections: 2 } });
    const first = await connectRaw(port);
    const second = await connectRaw(port);
    await first.send(request).untilText('}');
    await second.send(request).untilText('}');
    const third = connect(port, '127.0.0.1');
    third.on('error', () => undefined);
    third.resume();
    await once(third, 'close');
    expect(listener.counts.dropped).toBe(1);
    expect(listener.connections).toBe(2);
    first.socket.destroy();
    await expect.poll(() => listener.connections).toBe(1);
    const fourth = await connectRaw(port);
    await fourth.send(request).untilText('}');
  });

  it('change without closing the socket or the connections it has', async () => {
    const { port, listener, options, door } = await openListener();
    const old = await connectRaw(port);
    await old.send(request).untilText('}');
    await listener.update({
      ...options,
      trusts: () => true,
      config: {
        ...options.config,
        hosts: ['b.example'],
        limits: { ...options.config.limits, maxHeaderFields: 2, maxBodyBytes: 7 },
      },
    });
    expect(listener.facts).toMatchObject({ hosts: ['b.example'], maxBodyBytes: 7, port });
    const many = 'GET /many HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n';
    await old.send(many).untilText('/many');
    const fresh = await connectRaw(port);
    await fresh.send(many).untilText(' 431 ');
    expect(door.served.map(({ connection }) => connection.listener.maxBodyBytes)).toEqual([7, 7]);
    expect(door.served[0]!.connection.trusted).toBe(false);
    expect(door.refused[0]!.connection.trusted).toBe(true);
  });
});

describe('draining a listener', () => {
  it('accepts no more, finishes what is due, says Connection: close, and resolves', async () => {
    const door = createWaitingDoor();
    const { port, listener } = await openListener({ door });
    const busy = await connectRaw(port);
    busy.send(request);
    await door.until(({ served }) => served.length === 1);
    const drained = listener.drain(10_000);
    const late = connect(port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    door.waiting[0]!.answer(200, [], 'done');
    const text = await busy.untilClosed();
    expect(text).toContain('Connection: close');
    expect(text.endsWith('done')).toBe(true);
    await drained;
    expect(listener.connections).toBe(0);
  });

  it('still serves what comes on connections it has, and closes those that are idle', async () => {
    const { port, listener, door } = await openListener();
    const active = await connectRaw(port);
    const idle = await connectRaw(port);
    const silent = await connectRaw(port);
    await active.send(request).untilText('}');
    await idle.send(request).untilText('}');
    await expect.poll(() => listener.connections).toBe(3);
    active.send('GET /last HTTP/1.1\r\nHost: a\r\n\r\n');
    const drained = listener.drain(10_000);
    await active.untilText('/last');
    expect(active.text).toContain('Connection: close');
    await active.untilClosed();
    await idle.untilClosed();
    expect(idle.error).toBeUndefined();
    await silent.untilClosed();
    await drained;
    expect(door.served).toHaveLength(3);
  });

  it('sends GOAWAY and lets open streams finish', async () => {
    const door = createWaitingDoor();
    const { port, listener } = await openListener({ door });
    const client = http2.connect(`http://127.0.0.1:${port}`);
    onTestFinished(() => client.destroy());
    const stream = client.request({});
    await door.until(({ served }) => served.length === 1);
    const goaway = once(client, 'goaway');
    const drained = listener.drain(10_000);
    expect((await goaway)[0]).toBe(0);
    door.waiting[0]!.head(200, '', new HeaderFields(), undefined);
    door.waiting[0]!.write(Buffer.from('do'));
    let body = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    door.waiting[0]!.write(Buffer.from('ne'));
    door.waiting[0]!.end();
    await once(stream, 'close');
    expect(body).toBe('done');
    await drained;
  });

  it('closes WebSockets with 1001', async () => {
    const upstream = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => upstream.close());
    await once(upstream, 'listening');
    const { port: upstreamPort } = upstream.address() as { port: number };
    const door = new FakeDoor((intake, downstream) => {
      const socket = connect(upstreamPort, '127.0.0.1');
      let head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
      for (let i = 0; i < intake.headers.length; i += 2) {
        const name = intake.headers[i]!;
        if (/^sec-websocket/i.test(name)) head += `${name}: ${intake.headers[i + 1]}\r\n`;
      }
      socket.write(`${head}\r\n`);
      socket.once('data', (answer: Buffer) => {
        const accept = /Sec-WebSocket-Accept: (.*)\r\n/i.exec(answer.toString())![1]!;
        const client = downstream.upgrade(101, '', ['Sec-WebSocket-Accept', accept]);
        joinTunnel(client, socket, { idleTimeoutMs: 0, onClosed: () => undefined });
      });
    });
    const { port, listener } = await openListener({ door });
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const peers = once(upstream, 'connection');
    await once(client, 'open');
    const [peer] = (await peers) as [WebSocket];
    peer.on('message', (data: Buffer) => peer.send(data));
    client.send('hello');
    await once(client, 'message');
    const closes = Promise.all([once(client, 'close'), once(peer, 'close')]);
    const drained = listener.drain(10_000);
    const [[clientCode], [peerCode]] = await closes;
    expect([clientCode, peerCode]).toEqual([1001, 1001]);
    await drained;
  });

  it('cuts what is left at the deadline', async () => {
    const door = createWaitingDoor();
    const { port, listener } = await openListener({ door });
    const stuck = await connectRaw(port);
    const h2 = http2.connect(`http://127.0.0.1:${port}`);
    h2.on('error', () => undefined);
    h2.request({}).on('error', () => undefined);
    stuck.send(request);
    await door.until(({ served }) => served.length === 2);
    const began = performance.now();
    await listener.drain(200);
    expect(performance.now() - began).toBeGreaterThan(190);
    await stuck.untilClosed();
    await door.until(({ closed }) => closed.length === 2);
    expect(door.closed.map(({ complete }) => complete)).toEqual([false, false]);
    expect(listener.connections).toBe(0);
  });

  it('is cut short by stop', async () => {
    const door = createWaitingDoor();
    const { port, listener } = await openListener({ door });
    const client = await connectRaw(port);
    client.send(request);
    await door.until(({ served }) => served.length === 1);
    const drained = listener.drain(60_000);
    await listener.stop();
    await drained;
    await client.untilClosed();
    expect(listener.connections).toBe(0);
  });
});
