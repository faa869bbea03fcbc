/** Doors follow the configuration while calls go on. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../redis/free-port.ts';
import { until, type TestGateway } from '../gateway-fixture.ts';
import {
  callBy,
  CALLER,
  outboundOf,
  provider,
  registered,
  startApplication,
  untilServed,
  useMesh,
} from './mesh-fixture.ts';

const newMesh = useMesh();

interface Calls {
  /** By body, or status where it is not 200. */
  readonly seen: Map<string, number>;
  stop(): Promise<void>;
}

/** One call after the other until it is stopped. */
function keepCalling(node: TestGateway, url: string, method = 'GET'): Calls {
  const seen = new Map<string, number>();
  const stopping = new AbortController();
  const calling = (async () => {
    while (!stopping.signal.aborted) {
      const what = await callBy(outboundOf(node), url, { method }).then(
        ({ status, body }) => (status === 200 ? body : `${status} ${codeOf(body)}`),
        (error: Error) => error.message,
      );
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  })();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await calling;
  };
  onTestFinished(stop);
  return { seen, stop };
}

const codeOf = (body: string): string => (JSON.parse(body) as { code: string }).code;

async function untilSeen({ seen }: Calls, what: string, more = 5): Promise<void> {
  const goal = (seen.get(what) ?? 0) + more;
  await until(async () => ((seen.get(what) ?? 0) >= goal ? true : undefined));
}

describe('a registration', () => {
  it('that is added is called, and one that is removed is called no more, and no call is lost', async () => {
    const mesh = newMesh();
    const [a, b] = [await startApplication('a'), await startApplication('b')];
    const node = await mesh.node(provider('orders', a.port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    const calls = keepCalling(caller, 'http://orders.mesh/', 'POST');
    await untilSeen(calls, 'a');
    const both = [registered('orders', a.port), registered('orders', b.port, { id: 'second' })];
    expect(await node.reconfigure({ listeners: [], register: both })).toMatchObject({
      successful: true,
    });
    await untilSeen(calls, 'b');
    expect(await node.reconfigure({ listeners: [], register: [both[1]] })).toMatchObject({
      successful: true,
    });
    // What was in flight has ended by now.
    await untilSeen(calls, 'b');
    const before = calls.seen.get('a');
    await untilSeen(calls, 'b', 20);
    expect(calls.seen.get('a')).toBe(before);
    await calls.stop();
    expect([...calls.seen.keys()].toSorted()).toEqual(['a', 'b']);
  });

  it('that changes keeps its place in the mesh', async () => {
    const mesh = newMesh();
    const a = await startApplication('a');
    const inbound = `127.0.0.1:${await freePort()}`;
    const node = await mesh.node(provider('orders', a.port, { inbound }));
    const caller = await mesh.node({
      ...CALLER,
      services: { v2: { discover: { mesh: 'orders' } } },
      listeners: [{ name: 'http', address: '127.0.0.1:0' }],
      routes: [{ name: 'v2', to: [{ service: 'v2', where: { version: 'v2' } }] }],
    });
    await untilServed(caller, 'http://orders.mesh/');
    const calls = keepCalling(caller, 'http://orders.mesh/', 'POST');
    await untilSeen(calls, 'a');
    const changed = provider('orders', a.port, { inbound, metadata: { version: 'v2' } });
    await node.reconfigure(changed);
    await until(async () =>
      (await fetch(`http://127.0.0.1:${caller.httpPort}/`)).status === 200 ? true : undefined,
    );
    await untilSeen(calls, 'a', 20);
    await calls.stop();
    expect([...calls.seen.keys()]).toEqual(['a']);
  });

  it('is refused with everything else where its door cannot be opened', async () => {
    const mesh = newMesh();
    const [a, taken] = [await startApplication('a'), await startApplication('taken')];
    const node = await mesh.node(provider('orders', a.port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    const refused = await node.reconfigure(
      provider('orders', a.port, { inbound: `127.0.0.1:${taken.port}` }),
    );
    expect(refused.successful).toBe(false);
    expect(refused.errors.join()).toContain('mesh:inbound:orders');
    expect(await callBy(outboundOf(caller), 'http://orders.mesh/')).toMatchObject({ body: 'a' });
  });
});

describe('the outbound door', () => {
  it('moves to another address, and comes and goes', async () => {
    const mesh = newMesh();
    const a = await startApplication('a');
    await mesh.node(provider('orders', a.port));
    const caller = await mesh.node({
      ...CALLER,
      listeners: [{ name: 'http', address: '127.0.0.1:0' }],
    });
    await untilServed(caller, 'http://orders.mesh/');
    const before = outboundOf(caller);
    const port = await freePort();
    await caller.reconfigure({ outbound: { address: `127.0.0.1:${port}` } });
    expect(await callBy(port, 'http://orders.mesh/')).toMatchObject({ body: 'a' });
    await until(() =>
      callBy(before, 'http://orders.mesh/').then(
        () => undefined,
        () => true,
      ),
    );
    await caller.reconfigure({});
    await until(() =>
      callBy(port, 'http://orders.mesh/').then(
        () => undefined,
        () => true,
      ),
    );
    await caller.reconfigure({ outbound: { address: `127.0.0.1:${port}` } });
    expect(await callBy(port, 'http://orders.mesh/')).toMatchObject({ body: 'a' });
  });

  it('takes another list of services, and another service of the file, at once', async () => {
    const mesh = newMesh();
    const [a, other] = [await startApplication('a'), await startApplication('other')];
    await mesh.node(provider('orders', a.port));
    const caller = await mesh.node(CALLER);
    await untilServed(caller, 'http://orders.mesh/');
    await caller.reconfigure({ ...CALLER, outbound: { ...CALLER.outbound, services: ['users'] } });
    expect(await callBy(outboundOf(caller), 'http://orders.mesh/')).toMatchObject({ status: 404 });
    await caller.reconfigure({
      ...CALLER,
      services: { orders: { endpoints: [{ address: `127.0.0.1:${other.port}` }] } },
    });
    expect(await callBy(outboundOf(caller), 'http://orders.mesh/')).toMatchObject({
      body: 'other',
    });
    // Still the file's: one that lets go of all that nodes may share keeps what it had until there is a version.
    await caller.reconfigure({ ...CALLER, services: {} });
    expect((await untilServed(caller, 'http://orders.mesh/')).body).toBe('a');
  });
});
