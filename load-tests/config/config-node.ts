/** A Meshgate that leaves routes and services to the backplane, and is changed by its admin API. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { BenchContext } from '../bench-context.ts';
import { findFreePorts } from '../free-port.ts';
import { startMeshGateway, type MeshGateway } from '../mesh/mesh-gateway.ts';

export interface ConfigNode extends MeshGateway {
  /** Rejects where it is not answered with success. Resolves to the version that is in force then. */
  put(path: string, body: unknown): Promise<number>;
}

/** Of all nodes of a fleet. */
export function newFleetKey(): string {
  return randomBytes(32).toString('base64');
}

export async function startConfigNode(
  context: BenchContext,
  name: string,
  redisUrl: string,
  key: string,
): Promise<ConfigNode> {
  const [adminPort] = (await findFreePorts(1)) as [number];
  const gateway = await startMeshGateway(
    context,
    name,
    { backplane: { redis: redisUrl }, admin: { address: `127.0.0.1:${adminPort}` } },
    { MESHGATE_CONFIG_KEY: key },
  );
  const token = (await readFile(join(gateway.directory, 'data/admin-token'), 'utf8')).trim();
  const agent = new Agent({ keepAlive: true });
  return {
    ...gateway,
    put: (path, body) =>
      put({ host: '127.0.0.1', port: adminPort, agent, path, token }, JSON.stringify(body)),
    async stop() {
      agent.destroy();
      await gateway.stop();
    },
  };
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly agent: Agent;
  readonly path: string;
  readonly token: string;
}

function put({ token, ...target }: Target, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...target,
        method: 'PUT',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.once('error', reject);
        answer.once('end', () => {
          if (answer.statusCode! < 300) resolve(Number(answer.headers['meshgate-version']));
          else reject(new Error(`PUT ${target.path}: ${answer.statusCode} ${text}`));
        });
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}

/** So many routes to one service, and one route whose answer is a text. */
export function toSharedDocument(routes: number, upstreamPort: number, text: string): object {
  return {
    services: { app: { endpoints: [{ address: `127.0.0.1:${upstreamPort}` }] } },
    routes: [
      ...Array.from({ length: routes }, (_, i) => ({
        name: `service-${i}`,
        match: [{ path: `/service-${i}/*` }],
        to: 'app',
      })),
      toAnsweringRoute(text),
    ],
  };
}

export const ANSWERING = '/v1/routes/answering';

export function toAnsweringRoute(text: string): object {
  return {
    name: 'answering',
    match: [{ path: '/answering' }],
    respond: { status: 200, body: text },
  };
}
