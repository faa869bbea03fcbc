import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGrpcProbe,
  toRequestFrame,
  toServingStatus,
} from '../../../src/mesh/health/grpc-probe.ts';
import { createHttpProbe } from '../../../src/mesh/health/http-probe.ts';
import type { Probe, ProbeProtocol, ProbeReport } from '../../../src/mesh/health/probe.ts';
import { probeTcp } from '../../../src/mesh/health/tcp-probe.ts';
import { startOrigin, type Origin } from '../../integration/surface/origin.ts';
import { freePort } from '../../redis/free-port.ts';
import { createAuthority } from '../transport/http1-test-certificates.ts';
import { startHealthServer, type HealthServer } from './grpc-health-server.ts';

const PLAIN: ProbeProtocol = { protocol: 'http1' };
/** No test waits so long. */
const AMPLE_MS = 20_000;

function look(probe: Probe, port: number, timeoutMs = AMPLE_MS): Promise<ProbeReport> {
  const spec = { id: 'orders-1', host: '127.0.0.1', port, weight: 1, metadata: {} };
  return new Promise((resolve) => void probe(spec, timeoutMs, resolve));
}

/** Accepts connections and says nothing. */
async function startSilent(): Promise<{ readonly port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('the HTTP check', () => {
  let origin: Origin;
  beforeAll(async () => void (origin = await startOrigin('origin')));
  afterAll(() => origin.stop());

  const probe = createHttpProbe({ path: '/healthz?deep=1', host: undefined }, PLAIN);

  it.each([
    [200, 'pass'],
    [204, 'pass'],
    [299, 'pass'],
    [429, 'warn'],
    [301, 'fail'],
    [404, 'fail'],
    [500, 'fail'],
    [503, 'fail'],
  ] as const)('takes %i for a %s', async (status, result) => {
    origin.answer = (_asked, response) => response.writeHead(status).end();
    expect(await look(probe, origin.port)).toEqual({ result, detail: `status ${status}` });
  });

  it('asks for its path, in the name of the endpoint or of the given host', async () => {
    origin.asked.splice(0);
    origin.answer = (_asked, response) => response.end('ok');
    await look(probe, origin.port);
    await look(createHttpProbe({ path: '/', host: 'orders.internal' }, PLAIN), origin.port);
    expect(origin.asked[0]).toMatchObject({ method: 'GET', target: '/healthz?deep=1' });
    expect(origin.asked[0]!.headers.host).toBe(origin.address);
    expect(origin.asked[1]!.headers.host).toBe('orders.internal');
    // New connections are taken: that is half of the question.
    expect(origin.asked[0]!.remotePort).not.toBe(origin.asked[1]!.remotePort);
  });

  it('goes by the head alone, however long the body takes', async () => {
    origin.answer = (_asked, response) => response.writeHead(200).write('never ending');
    expect(await look(probe, origin.port)).toMatchObject({ result: 'pass' });
  });

  it('fails where nobody listens, and where nobody answers in time', async () => {
    expect(await look(probe, await freePort())).toMatchObject({ result: 'fail' });
    const silent = await startSilent();
    expect(await look(probe, silent.port, 50)).toEqual({
      result: 'fail',
      detail: 'no answer within 50 ms',
    });
    silent.stop();
  });

  it('reports nothing once it is cancelled', async () => {
    let reported = false;
    origin.asked.splice(0);
    origin.answer = (_asked, response) => response.end();
    const { port, address: id } = origin;
    const spec = { id, host: '127.0.0.1', port, weight: 1, metadata: {} };
    probe(spec, AMPLE_MS, () => void (reported = true)).cancel();
    await look(probe, origin.port);
    expect(reported).toBe(false);
  });

  it('speaks h2c', async () => {
    const other = await startOrigin('other', { protocol: 'h2c' });
    const check = createHttpProbe({ path: '/', host: undefined }, { protocol: 'h2c' });
    expect(await look(check, other.port)).toMatchObject({ result: 'pass' });
    await other.stop();
  });

  it.each(['h2', 'https'] as const)('speaks %s with those it may trust', async (protocol) => {
    const authority = await createAuthority();
    const tls = await authority.issue({ dns: ['orders.internal'] });
    const other = await startOrigin('other', { protocol, tls });
    const trusting = { serverName: 'orders.internal', ca: authority.cert, verify: true };
    const check = { path: '/', host: undefined };
    const friend = createHttpProbe(check, { protocol, tls: trusting });
    expect(await look(friend, other.port)).toMatchObject({ result: 'pass' });
    const stranger = createHttpProbe(check, { protocol });
    expect(await look(stranger, other.port)).toMatchObject({ result: 'fail' });
    await other.stop();
  });
});

describe('the TCP check', () => {
  it('passes with a connection', async () => {
    const silent = await startSilent();
    expect(await look(probeTcp, silent.port)).toEqual({ result: 'pass', detail: 'connected' });
    silent.stop();
  });

  it('fails without one', async () => {
    expect(await look(probeTcp, await freePort())).toEqual({
      result: 'fail',
      detail: 'no connection: ECONNREFUSED',
    });
  });

  it('reports nothing once it is cancelled', async () => {
    const silent = await startSilent();
    let reported = false;
    const spec = { id: 'x', host: '127.0.0.1', port: silent.port, weight: 1, metadata: {} };
    probeTcp(spec, AMPLE_MS, () => void (reported = true)).cancel();
    await look(probeTcp, silent.port);
    expect(reported).toBe(false);
    silent.stop();
  });
});

describe('the gRPC check', () => {
  let server: HealthServer;
  beforeAll(async () => void (server = await startHealthServer()));
  afterAll(() => server.stop());

  const probe = (service: string): Probe => createGrpcProbe({ service }, { protocol: 'h2c' });

  it.each([
    ['SERVING', 1, 'pass'],
    ['NOT_SERVING', 2, 'fail'],
    ['UNKNOWN', 0, 'fail'],
  ] as const)('takes %s (%i) for a %s', async (detail, status, result) => {
    server.serving.set('orders.v1.Orders', status);
    expect(await look(probe('orders.v1.Orders'), server.port)).toEqual({ result, detail });
  });

  it('asks about the whole server where no service is given', async () => {
    expect(await look(probe(''), server.port)).toEqual({ result: 'pass', detail: 'SERVING' });
  });

  it('fails for a service that is not known, and for a server that has no such method', async () => {
    expect(await look(probe('nobody'), server.port)).toEqual({
      result: 'fail',
      detail: 'grpc-status 5',
    });
    const origin = await startOrigin('plain', { protocol: 'h2c' });
    origin.answer = (_asked, response) => response.writeHead(404).end();
    expect(await look(probe(''), origin.port)).toEqual({ result: 'fail', detail: 'status 404' });
    origin.answer = (_asked, response) => response.end('hello');
    expect(await look(probe(''), origin.port)).toMatchObject({ result: 'fail' });
    await origin.stop();
  });

  it('writes and reads the messages of protobuf', () => {
    expect([...toRequestFrame('')]).toEqual([0, 0, 0, 0, 0]);
    expect([...toRequestFrame('ab')]).toEqual([0, 0, 0, 0, 4, 0x0a, 2, 0x61, 0x62]);
    const long = toRequestFrame('x'.repeat(200));
    expect([...long.subarray(0, 8)]).toEqual([0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]);
    expect(toServingStatus(Uint8Array.of(0, 0, 0, 0, 2, 8, 1))).toBe(1);
    expect(toServingStatus(Uint8Array.of(0, 0, 0, 0, 0))).toBe(0);
    expect(toServingStatus(Uint8Array.of(1, 0, 0, 0, 2, 8, 1))).toBeUndefined();
    expect(toServingStatus(Uint8Array.of(0, 0, 0, 0, 2, 9, 1))).toBeUndefined();
    expect(toServingStatus(Uint8Array.of())).toBeUndefined();
  });
});
