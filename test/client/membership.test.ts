/** Joining, registering and leaving: what stays registered, what a promise ends with, and that a process can end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { createMesh } from '../../src/client/client.ts';
import { Program } from '../integration/process/gateway-process.ts';
import { freePorts } from '../redis/free-port.ts';
import { RedisProcess } from '../redis/redis-process.ts';
import { call, meshFixture, startApplication } from './mesh-fixture.ts';

const fixture = meshFixture();

/** What the store has of the instances of `orders`. */
async function stored(): Promise<Record<string, Record<string, unknown>>> {
  const records = await fixture.redis.admin.hgetall(`${fixture.namespace}:{svc:orders}:inst`);
  return Object.fromEntries(
    Object.entries(records).map(([id, text]) => [
      id,
      JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>,
    ]),
  );
}

describe('an instance', () => {
  it('is registered with all that is said of it', async () => {
    const { port } = await startApplication('a');
    const mesh = fixture.join({ node: { name: 'shop-1', zone: 'eu-1a' } });
    const instance = await mesh.register({
      service: 'orders',
      address: port,
      id: 'orders-1',
      metadata: { version: 'v2' },
      weight: 3,
      priority: 1,
      healthCheck: { http: { path: '/healthz' } },
    });
    expect(instance).toMatchObject({
      service: 'orders',
      id: 'orders-1',
      state: 'registered',
      healthy: true,
    });
    // It shares the network of Redis, which is this machine.
    expect(instance.address).toBe(`127.0.0.1:${port}`);
    expect(await stored()).toEqual({
      'orders-1': {
        host: '127.0.0.1',
        port,
        weight: 3,
        metadata: { version: 'v2' },
        zone: 'eu-1a',
        priority: 1,
        node: 'shop-1',
      },
    });
  });

  it('is registered only once its application answers', async () => {
    const [port] = await freePorts(1);
    const mesh = fixture.join();
    const registering = mesh.register({ service: 'orders', address: `127.0.0.1:${port}` });
    await mesh.ready();
    expect(await stored()).toEqual({});
    const server = createServer((_request, response) => response.end('late')).listen(
      port,
      '127.0.0.1',
    );
    onTestFinished(() => {
      server.close();
    });
    expect((await registering).state).toBe('registered');
  });

  it('is registered where nobody looks at it', async () => {
    const mesh = fixture.join();
    const address = '10.9.8.7:1';
    const instance = await mesh.register({ service: 'orders', address, healthCheck: false });
    expect(instance).toMatchObject({ id: address, address, state: 'registered', healthy: true });
    await instance.deregister();
    expect([instance.state, await stored()]).toEqual(['left', {}]);
  });

  it('is drained first, and is out of the mesh when it has left', async () => {
    const { address } = await startApplication('a');
    const mesh = fixture.join();
    const instance = await mesh.register({ service: 'orders', address });
    await instance.drain({ noticeMs: 0 });
    expect(instance.state).toBe('draining');
    expect((await stored())[address]).toMatchObject({ draining: true });
    await instance.deregister();
    expect([instance.state, await stored()]).toEqual(['left', {}]);
    const again = await mesh.register({ service: 'orders', address });
    expect(again.state).toBe('registered');
  });

  it('cannot be registered twice by one process, and is taken over by another one', async () => {
    const { address } = await startApplication('a');
    const [mesh, other] = [fixture.join(), fixture.join()];
    const instance = await mesh.register({ service: 'orders', address });
    await expect(mesh.register({ service: 'orders', address })).rejects.toMatchObject({
      code: 'invalid_option',
      field: 'id',
    });
    await other.register({ service: 'orders', address });
    // It finds out by its next heartbeat, or when it has something to say.
    await instance.drain({ noticeMs: 0 });
    expect(instance.state).toBe('superseded');
    expect((await stored())[address]).not.toHaveProperty('draining');
  });

  it('is given up by a signal', async () => {
    const [port] = await freePorts(1);
    const mesh = fixture.join();
    const abort = new AbortController();
    const registering = mesh.register({ service: 'orders', address: port!, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(registering).rejects.toThrow('enough');
    await expect(
      mesh.register({ service: 'orders', address: port!, signal: abort.signal }),
    ).rejects.toThrow('enough');
  });

  it('comes back by itself with a Redis that lost everything', async () => {
    const redis = await RedisProcess.start();
    onTestFinished(() => redis.stop());
    const { address } = await startApplication('a');
    const options = { redis: `redis://127.0.0.1:${redis.port}` };
    const mesh = createMesh(options);
    onTestFinished(() => mesh.close({ noticeMs: 0 }));
    await mesh.register({ service: 'orders', address });
    await redis.kill();
    await redis.start();
    const other = createMesh(options);
    onTestFinished(() => other.close());
    await other.ready({ services: ['orders'] });
    expect(await call(other)).toBe('a');
  });
});

describe('ready', () => {
  it('waits for services to have an instance, and says which have none', async () => {
    const { address } = await startApplication('a');
    const mesh = fixture.join();
    await expect(mesh.ready({ services: ['orders'], timeoutMs: 300 })).rejects.toMatchObject({
      name: 'MeshClientError',
      code: 'not_ready',
      message: 'not ready within 300 ms: no instance of orders can be called',
    });
    const ready = mesh.ready({ services: ['orders'] });
    await mesh.register({ service: 'orders', address });
    await ready;
    expect(await call(mesh)).toBe('a');
  });

  it('refuses bad options', async () => {
    const mesh = fixture.join();
    await expect(mesh.ready({ timeoutMs: 0 })).rejects.toMatchObject({ field: 'timeoutMs' });
    await expect(mesh.ready({ services: ['a b'] })).rejects.toMatchObject({ field: 'services[0]' });
    await expect(mesh.close({ noticeMs: -1 })).rejects.toMatchObject({ field: 'noticeMs' });
    await expect(mesh.register({ service: 'orders', address: 'x' })).rejects.toMatchObject({
      field: 'address',
    });
    expect(() => mesh.origin('A')).toThrow(/^service must be lower-case/);
  });
});

describe('close', () => {
  it('drains, waits for calls in flight, and ends what was waited for', async () => {
    const arrived = Promise.withResolvers<() => void>();
    const { address } = await startApplication('a', (asked, response) => {
      if (asked.url === '/slow') arrived.resolve(() => response.end('slow'));
      else response.end('a');
    });
    const [port] = await freePorts(1);
    const mesh = fixture.join();
    await mesh.register({ service: 'orders', address });
    await mesh.ready({ services: ['orders'] });
    const slow = call(mesh, 'http://orders.mesh/slow');
    const answer = await arrived.promise;
    const pending = [
      mesh.register({ service: 'orders', address: port! }),
      mesh.ready({ services: ['nobody'] }),
    ];
    const closing = mesh.close({ noticeMs: 0 });
    for (const one of pending) await expect(one).rejects.toMatchObject({ code: 'closed' });
    await expect.poll(() => call(mesh)).toBe('UND_ERR_CLOSED');
    answer();
    expect(await slow).toBe('slow');
    await closing;
    await mesh.close();
    expect(await stored()).toEqual({});
    expect(mesh.status().connected).toBe(false);
    await expect(mesh.register({ service: 'orders', address })).rejects.toMatchObject({
      code: 'closed',
    });
    await expect(mesh.ready()).rejects.toMatchObject({ code: 'closed' });
  });

  it('lets calls fail that take too long, and does not wait for a WebSocket', async () => {
    const { server, address } = await startApplication('a', () => {});
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => socket.send(data, { binary: false })),
    );
    const mesh = fixture.join();
    await mesh.register({ service: 'orders', address });
    await mesh.ready({ services: ['orders'] });
    const socket = new WebSocket('ws://orders.mesh/', { dispatcher: mesh.dispatcher });
    await once(socket, 'open');
    const silent = call(mesh);
    await mesh.close({ noticeMs: 0, timeoutMs: 20 });
    expect(await silent).toBe('UND_ERR_DESTROYED');
    socket.send('still there');
    const [{ data }] = (await once(socket, 'message')) as [MessageEvent];
    expect(data).toBe('still there');
    socket.close();
    await once(socket, 'close');
  });

  it('leaves a process nothing to stay for, with Redis and without', async () => {
    const script = join(import.meta.dirname, 'apps/come-and-go.ts');
    const [dead] = await freePorts(1);
    for (const port of [fixture.redis.port, dead]) {
      const program = new Program([String(port)], { command: [process.execPath, script] });
      expect(await program.ended).toEqual({ code: 0, signal: null });
      expect([program.stderr, program.stdout]).toEqual(['', 'closed\n']);
    }
  });
});
