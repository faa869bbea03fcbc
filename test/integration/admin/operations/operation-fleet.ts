/** The nodes that the operations are asked of: two that share a configuration, and one whose file owns it. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Role } from '../../../../src/admin/access/principal.ts';
import type { Scope } from '../../../../src/admin/access/scope.ts';
import type { Backplane } from '../../../../src/mesh/backplane/backplane.ts';
import { Registration } from '../../../../src/mesh/registry/registration.ts';
import { describeNode } from '../../../admin/fleet/fleet-fixture.ts';
import { CLOCK, SILENT } from '../../../contracts/backplane-fixture.ts';
import { newKey } from '../../../gateway/config/versions/version-node.ts';
import { openRedisBackplane, singleTarget } from '../../../redis/open-backplane.ts';
import { RedisProcess } from '../../../redis/redis-process.ts';
import { startGateway, until, type TestGateway } from '../../gateway-fixture.ts';
import { freePort } from '../../../redis/free-port.ts';
import { listen, type TestOrigin } from '../../protocols/origins.ts';
import { CERTIFICATE } from './configured-entries.ts';
import { createClient, type Client } from './generated-client.ts';

export interface FleetNode {
  readonly gateway: TestGateway;
  /** With the token of an admin, good on all nodes. */
  readonly client: Client;
}

export interface OperationFleet {
  readonly a: FleetNode;
  readonly b: FleetNode;
  /** Its file has routes. */
  readonly c: FleetNode;
  readonly backplane: Backplane;
  /** By role, and one of a viewer whose scope has nothing in it. */
  readonly tokens: Readonly<Record<Role | 'scoped', string>>;
  stop(): Promise<void>;
}

/** What a node says that cannot be asked, by how it cannot. */
export const SILENT_NODES = { closed: 502, gone: 503, mute: 504 } as const;

/** The endpoint that operators decide about. */
export const ENDPOINT = { service: 'shop', endpoint: 'shop-1' } as const;

/** What every node has at first, as version 1. */
export const FIRST = {
  services: {
    orders: { endpoints: [{ address: '127.0.0.1:9' }], labels: { team: 'shop' } },
    payments: { endpoints: [{ address: '127.0.0.1:9' }] },
  },
  routes: [
    { name: 'orders', match: [{ path: '/orders/*' }], to: 'orders', labels: { team: 'shop' } },
    { name: 'hello', match: [{ path: '/hello' }], respond: { status: 200, body: 'hi' } },
  ],
  consumers: [{ name: 'acme', apiKeys: [{ hash: `sha256:${'0a'.repeat(32)}` }] }],
  plugins: [{ cors: { origins: ['https://app.test'] } }],
  certificates: { known: CERTIFICATE },
};

export async function startOperationFleet(): Promise<OperationFleet> {
  const closing: (() => unknown)[] = [];
  const redis = await RedisProcess.start();
  closing.push(() => redis.stop());
  const env = { MESHGATE_CONFIG_KEY: newKey() };
  const backplane = await openRedisBackplane(singleTarget(redis.port), { namespace: 'meshgate' });
  closing.push(() => backplane.close());
  const start = async (name: string, config: object = {}): Promise<StartedNode> => {
    const port = await freePort();
    const gateway = await startGateway(
      {
        node: { name },
        backplane: { redis: `redis://127.0.0.1:${redis.port}` },
        listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
        admin: { address: `127.0.0.1:${port}` },
        telemetry: { accessLog: false },
        ...config,
      },
      env,
    );
    closing.push(() => gateway.stop());
    return { gateway, port };
  };
  const started = await Promise.all([
    start('a'),
    start('b'),
    start('c', { services: FIRST.services, routes: FIRST.routes }),
  ]);
  const mute = await describeSilentNodes(backplane);
  closing.push(() => mute.close(), await register(backplane));

  const first = createClient(started[0].port, await readToken(started[0].gateway));
  closing.push(() => first.close());
  const make = async (name: string, role: Role, scope?: Scope): Promise<string> => {
    const { body } = await first.call('createToken', {
      body: { name, role, ...(scope && { scope }) },
    });
    return body.token as string;
  };
  const tokens = {
    admin: await make('an-admin', 'admin'),
    operator: await make('an-operator', 'operator'),
    viewer: await make('a-viewer', 'viewer'),
    scoped: await make('a-stranger', 'viewer', { services: { prefixes: ['nothing-'] } }),
  };
  await first.call('putConfig', { body: FIRST });
  const [a, b, c] = started.map(({ gateway, port }): FleetNode => {
    const client = createClient(port, tokens.admin);
    closing.push(() => client.close());
    return { gateway, client };
  });
  await untilKnown([a!, b!, c!], tokens.scoped);
  return {
    a: a!,
    b: b!,
    c: c!,
    backplane,
    tokens,
    async stop() {
      for (const close of closing.toReversed()) await close();
    },
  };
}

interface StartedNode {
  readonly gateway: TestGateway;
  readonly port: number;
}

async function readToken({ directory }: TestGateway): Promise<string> {
  return (await readFile(join(directory, '.meshgate/admin-token'), 'utf8')).trim();
}

/** A token that one node made is heard of by the others a moment later; so is a version, and who is where. */
async function untilKnown(nodes: readonly FleetNode[], newest: string): Promise<void> {
  await until(async () => {
    for (const { client } of nodes) {
      const { status } = await client.call('listServices', { token: newest });
      if (status !== 200) return undefined;
      const { body } = await client.call('listMeshNodes');
      const addresses = (body.items as readonly { readonly admin?: unknown }[]).map(
        ({ admin }) => admin,
      );
      if (addresses.filter((admin) => admin !== undefined).length < 5) return undefined;
    }
    const { body } = await nodes[1]!.client.call('listRoutes');
    return body.items.length > 0 ? true : undefined;
  });
}

/** One that is closed, one where nobody listens, and one that takes what it is asked and says nothing. */
async function describeSilentNodes(backplane: Backplane): Promise<TestOrigin> {
  await describeNode(backplane, 'closed', undefined);
  await describeNode(backplane, 'gone', `127.0.0.1:${await freePort()}`);
  const mute = await listen(createServer(() => undefined));
  await describeNode(backplane, 'mute', `127.0.0.1:${mute.port}`);
  return mute;
}

async function register(backplane: Backplane): Promise<() => Promise<void>> {
  const registration = new Registration({
    backplane,
    service: ENDPOINT.service,
    instance: { id: ENDPOINT.endpoint, host: '127.0.0.1', port: 9 },
    monotonic: CLOCK.monotonic,
    random: Math.random,
    log: SILENT,
  });
  await registration.start();
  return async () => void (await registration.deregister());
}
