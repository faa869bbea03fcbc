/** Sidecars as processes of their own, on a real Redis: told to stop one after the other, and killed. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { freePort } from '../../redis/free-port.ts';
import {
  createFolder,
  eventually,
  Program,
  untilServing,
  type GatewayProcess,
} from '../process/gateway-process.ts';
import { startLoad } from '../process/load.ts';
import { startOrigin } from '../process/origin.ts';
import { callBy } from './mesh-fixture.ts';

let redis: RedisProcess;

beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis.stop());

interface Place {
  readonly service: string;
  readonly application: number;
  readonly inbound: number;
  readonly folder: string;
}

async function createPlace(service: string, application: number): Promise<Place> {
  return {
    service,
    application,
    inbound: await freePort(),
    folder: await createFolder(),
  };
}

let namespaces = 0;

/** On the same ports each time. */
async function startSidecar(
  { service, application, inbound, folder }: Place,
  namespace: string,
  ...more: readonly string[]
): Promise<GatewayProcess> {
  const program = new Program(
    [
      'sidecar',
      service,
      `--app=127.0.0.1:${application}`,
      `--inbound=127.0.0.1:${inbound}`,
      '--outbound=127.0.0.1:0',
      '--status=127.0.0.1:0',
      `--data-dir=${folder}`,
      `--namespace=${namespace}`,
      ...more,
    ],
    { env: { MESHGATE_REDIS: `redis://127.0.0.1:${redis.port}` } },
  );
  const sidecar = await untilServing(program);
  await program.said('stderr', /passes its check, registered/);
  return sidecar;
}

/** Resolves once calls go to both. */
async function untilBoth(caller: GatewayProcess): Promise<void> {
  const seen = new Set<string>();
  await eventually(async () => {
    const { status, body } = await callBy(caller.portOf('mesh:outbound'), 'http://orders.mesh/');
    if (status === 200) seen.add(body);
    return seen.size === 2 ? true : undefined;
  });
}

async function startMesh(): Promise<{
  readonly namespace: string;
  readonly places: readonly Place[];
  readonly sidecars: GatewayProcess[];
  readonly caller: GatewayProcess;
}> {
  const namespace = `sidecars-${++namespaces}`;
  const [a, b, c] = [await startOrigin('a'), await startOrigin('b'), await startOrigin('c')];
  const places = [await createPlace('orders', a.port), await createPlace('orders', b.port)];
  const [caller, ...sidecars] = await Promise.all([
    startSidecar(await createPlace('users', c.port), namespace),
    ...places.map((place) => startSidecar(place, namespace)),
  ]);
  await untilBoth(caller);
  return { namespace, places, sidecars, caller };
}

describe('sidecars under steady load', () => {
  it('lose no request when they are restarted one after the other', async () => {
    const { namespace, places, sidecars, caller } = await startMesh();
    const port = caller.portOf('mesh:outbound');
    const load = startLoad({ port, http1: 4, http2: 0, path: 'http://orders.mesh/' });
    onTestFinished(() => load.stop());
    await load.more(50);
    for (const [i, place] of places.entries()) {
      const { program } = sidecars[i]!;
      program.signal('SIGTERM');
      expect(await program.ended).toEqual({ code: 0, signal: null });
      await load.more(50);
      await startSidecar(place, namespace);
      await untilBoth(caller);
    }
    await load.more(50);
    await load.stop();
    expect(load.failures).toEqual([]);
  }, 60_000);

  it('lose no idempotent request when one of them is killed', async () => {
    const { sidecars, caller } = await startMesh();
    const port = caller.portOf('mesh:outbound');
    const load = startLoad({ port, http1: 4, http2: 0, path: 'http://orders.mesh/' });
    onTestFinished(() => load.stop());
    await load.more(100);
    await sidecars[0]!.program.kill();
    await load.more(300);
    await load.stop();
    expect(load.failures).toEqual([]);
  }, 60_000);
});

describe('a sidecar that is told to stop', () => {
  it('lets its application call others until the last answer is out', async () => {
    const namespace = `sidecars-${++namespaces}`;
    const users = await startOrigin('users');
    const asked = Promise.withResolvers<() => void>();
    let outbound = 0;
    const server = createServer((request, response) => {
      if (request.method === 'OPTIONS') {
        response.end();
        return;
      }
      asked.resolve(() => {
        callBy(outbound, 'http://users.mesh/').then(
          ({ status, body }) => response.end(`${status} ${body}`),
          (error: Error) => response.end(error.message),
        );
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const place = await createPlace('orders', port);
    const orders = await startSidecar(place, namespace);
    outbound = orders.portOf('mesh:outbound');
    const caller = await startSidecar(await createPlace('users', users.port), namespace);
    await eventually(async () => {
      const { status } = await callBy(outbound, 'http://users.mesh/');
      return status === 200 ? true : undefined;
    });
    const answer = callBy(place.inbound, '/');
    const goOn = await asked.promise;
    orders.program.signal('SIGTERM');
    // Its inbound door takes no one any more.
    await eventually(() =>
      callBy(place.inbound, '/', { method: 'OPTIONS' }).then(
        () => undefined,
        () => true,
      ),
    );
    goOn();
    expect(await answer).toMatchObject({ status: 200, body: '200 ok users' });
    expect(await orders.program.ended).toEqual({ code: 0, signal: null });
    expect(caller.program.running).toBe(true);
  }, 40_000);
});

describe('sidecars of one machine', () => {
  it('answer for each other, and one that was killed comes back as the same node', async () => {
    const namespace = `sidecars-${++namespaces}`;
    const origin = await startOrigin('a');
    const places = [
      await createPlace('orders', origin.port),
      await createPlace('users', origin.port),
    ];
    const [orders, users] = await Promise.all(
      places.map((place) => startSidecar(place, namespace, '--id=1')),
    );
    const ask = await asAdmin(orders!, places[0]!);
    await eventually(async () => {
      const { status, body } = await ask('/v1/nodes/users-1/status');
      return status === 200 ? body : undefined;
    });
    await users!.program.kill();
    await startSidecar(places[1]!, namespace, '--id=1');
    await eventually(async () =>
      (await ask('/v1/nodes/users-1/status')).status === 200 ? true : undefined,
    );
    const { body } = await ask('/v1/mesh/nodes');
    expect(body).toMatchObject({
      items: [{ name: 'orders-1' }, { name: 'users-1' }],
      nodes: { missing: [] },
    });
  }, 40_000);
});

/** With a token that all nodes know. */
async function asAdmin({ program }: GatewayProcess, { folder }: Place) {
  const [, port] = /admin on http:\/\/localhost:([0-9]+)$/m.exec(program.stdout)!;
  let token = (await readFile(join(folder, 'admin-token'), 'utf8')).trim();
  const ask = async (path: string, body?: object) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const made = await ask('/v1/tokens', { name: 'all', role: 'viewer' });
  token = String(made.body['token']);
  return ask;
}
