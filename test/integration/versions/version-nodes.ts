/** Gateways in processes of their own whose files leave routes and services to the backplane. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  EMPTY_DOCUMENT,
  type SharedDocument,
} from '../../../src/gateway/config/versions/shared-document.ts';
import { openRedisBackplane, singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import {
  newKey,
  startVersionNode,
  type VersionNode,
} from '../../gateway/config/versions/version-node.ts';
import {
  createFolder,
  eventually,
  startMeshgate,
  writeConfig,
  type GatewayProcess,
  type ReadyReport,
} from '../process/gateway-process.ts';

export interface VersionReport extends ReadyReport {
  readonly config_owner: string;
  readonly config_version: number;
  readonly config_refused?: { readonly version: number; readonly reason: string };
  readonly config_missing?: string;
}

export interface Fleet {
  readonly redis: RedisProcess;
  /** Somebody else who writes versions. */
  readonly writer: VersionNode;
  /** By its name it has the same data directory again. */
  readonly start: (name: string, options?: StartOptions) => Promise<GatewayProcess>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Beside what all of them have. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function startFleet(): Promise<Fleet> {
  const redis = await RedisProcess.start();
  onTestFinished(() => redis.stop());
  const key = newKey();
  const folder = await createFolder();
  const backplane = await openRedisBackplane(singleTarget(redis.port));
  onTestFinished(() => backplane.close());
  const writer = await startVersionNode({ backplane, key });
  onTestFinished(() => writer.close());
  return {
    redis,
    writer,
    async start(name, { env = {}, config = {} } = {}) {
      const place = join(folder, name);
      await mkdir(place, { recursive: true });
      const file = await writeConfig(place, {
        meshgate: 1,
        node: { name },
        backplane: { redis: `redis://127.0.0.1:${redis.port}` },
        listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
        status: { address: '127.0.0.1:0' },
        admin: { address: '127.0.0.1:0' },
        telemetry: { accessLog: false },
        ...config,
      });
      return startMeshgate(file, { cwd: place, env: { MESHGATE_CONFIG_KEY: key, ...env } });
    },
  };
}

/** Every path is answered with a text. */
export function answering(text: string): SharedDocument {
  const routes = [{ name: 'all', match: [{ path: '/*' }], respond: { status: 200, body: text } }];
  return { ...EMPTY_DOCUMENT, routes };
}

export async function answerOf({ url }: GatewayProcess): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  return response.ok ? text : String(response.status);
}

export async function untilAnswered(gateway: GatewayProcess, text: string): Promise<void> {
  await eventually(async () => ((await answerOf(gateway)) === text ? true : undefined));
}

export async function untilReady(
  gateway: GatewayProcess,
  is: (report: VersionReport, code: number) => boolean,
): Promise<VersionReport> {
  return eventually(async () => {
    const { report, code } = await gateway.readiness();
    return is(report as VersionReport, code) ? (report as VersionReport) : undefined;
  });
}

export async function readOwnFile({ program }: GatewayProcess): Promise<{
  readonly folder: string;
  readonly config: Record<string, unknown>;
}> {
  const file = program.child.spawnargs.at(-1)!;
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  return { folder: dirname(file), config };
}
