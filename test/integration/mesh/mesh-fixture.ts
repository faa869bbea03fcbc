/** Nodes of one mesh in this process, on one Redis, with real applications behind them. */
import { once } from 'node:events';
import {
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';

export interface Application {
  readonly server: Server;
  readonly port: number;
}

/** Gone when the test has finished. */
export async function startApplication(
  answer: string | ((request: IncomingMessage, response: ServerResponse) => void),
): Promise<Application> {
  const server = createServer((asked, response) => {
    if (typeof answer === 'string') response.end(answer);
    else answer(asked, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

export interface Mesh {
  readonly redis: RedisProcess;
  /** A node of this mesh; stopped when the test has finished. */
  node(config: Record<string, unknown>): Promise<TestGateway>;
}

/** To be called at the top of a test file. Each test has a mesh of its own. */
export function useMesh(): () => Mesh {
  let redis: RedisProcess;
  let meshes = 0;
  beforeAll(async () => {
    redis = await RedisProcess.start();
  });
  afterAll(() => redis.stop());
  return () => {
    const namespace = `test-${++meshes}`;
    const backplane = { redis: `redis://127.0.0.1:${redis.port}`, namespace };
    const running = new Set<TestGateway>();
    return {
      redis,
      async node(config) {
        const node = await startGateway({ backplane, ...config });
        running.add(node);
        // All at once: each gives its callers a second.
        onTestFinished(async () => {
          const nodes = [...running];
          running.clear();
          await Promise.all(nodes.map((one) => one.stop()));
        });
        return node;
      },
    };
  };
}

/** `register` of a node beside an application, by a door on any port. */
export function registered(
  service: string,
  port: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { service, address: `127.0.0.1:${port}`, inbound: '127.0.0.1:0', ...more };
}

/** A node that others reach `service` by. */
export function provider(
  service: string,
  port: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { listeners: [], register: [registered(service, port, more)] };
}

/** A node by which an application calls others. */
export const CALLER = { listeners: [], outbound: { address: '127.0.0.1:0' } };

export const outboundOf = (node: TestGateway): number => node.portOf('mesh:outbound');

export interface Called {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As a client with `http_proxy` does: by the absolute form, on a connection of its own. */
export async function callBy(
  port: number,
  url: string,
  options: CallOptions = {},
): Promise<Called> {
  const { method = 'GET', headers = {}, body } = options;
  const asked = request({
    host: '127.0.0.1',
    port,
    path: url,
    method,
    agent: false,
    headers: { host: URL.parse(url)?.host ?? 'door', ...headers },
  });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return {
    status: response.statusCode!,
    headers: response.headers,
    body: await text(response),
  };
}

/** Resolves to the first answer that is no 503: until discovery has heard, there is nobody to call. */
export function untilServed(node: TestGateway, url: string): Promise<Called> {
  return until(async () => {
    const called = await callBy(outboundOf(node), url);
    return called.status === 503 ? undefined : called;
  });
}
