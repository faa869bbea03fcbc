/** Meshes of a test on one Redis, each test in a namespace of its own, and small services to register in them. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest';
import { createMesh, type Mesh, type MeshOptions } from '../../src/client/client.ts';
import { RedisProcess } from '../redis/redis-process.ts';

export interface MeshFixture {
  readonly redis: RedisProcess;
  readonly url: string;
  readonly namespace: string;
  /** Closed with the test. */
  join(options?: Partial<MeshOptions>): Mesh;
}

export function meshFixture(): MeshFixture {
  let redis: RedisProcess;
  let tests = 0;
  beforeAll(async () => {
    redis = await RedisProcess.start();
  });
  beforeEach(() => {
    tests++;
  });
  afterAll(() => redis.stop());

  return {
    get redis() {
      return redis;
    },
    get url() {
      return `redis://127.0.0.1:${redis.port}`;
    },
    get namespace() {
      return `test-${tests}`;
    },
    join(options = {}) {
      const mesh = createMesh({ redis: this.url, namespace: this.namespace, ...options });
      onTestFinished(() => mesh.close({ noticeMs: 0, timeoutMs: 100 }));
      return mesh;
    },
  };
}

export interface Application {
  readonly server: Server;
  readonly port: number;
  readonly address: string;
}

/** Answers with its name where nothing else is said; closed with the test. */
export async function startApplication(
  name: string,
  listener?: RequestListener,
): Promise<Application> {
  const server = createServer(listener ?? ((_request, response) => response.end(name)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, address: `127.0.0.1:${port}` };
}

/** Body, or the code of what the call failed with. */
export async function call(
  mesh: Mesh,
  url = 'http://orders.mesh/',
  init: RequestInit = {},
): Promise<string> {
  try {
    const response = await fetch(url, { ...init, dispatcher: mesh.dispatcher });
    return await response.text();
  } catch (error) {
    return String(((error as Error).cause as { code?: string } | undefined)?.code ?? error);
  }
}
