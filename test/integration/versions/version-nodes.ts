/** Gateways whose files leave routes and services to the backplane. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createApp } from '../../../src/app.ts';
import {
  EMPTY_DOCUMENT,
  type SharedDocument,
} from '../../../src/gateway/config/versions/shared-document.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
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
  /** By its name it has the same data directory again. Stopped when the test has finished. */
  readonly start: (name: string, options?: StartOptions) => Promise<VersionGateway>;
}

export interface VersionGateway {
  /** Of its listener. */
  readonly url: string;
  /** Where its file is. */
  readonly folder: string;
  /** What its file says. */
  readonly config: Readonly<Record<string, unknown>>;
  readiness(): Promise<{ readonly code: number; readonly report: VersionReport }>;
  /** The value of a metric that has no labels. */
  metric(name: string): Promise<number>;
  /** As it is told to. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** A program of its own costs a second of CPU time to start. Default: an app of this process. */
  readonly as?: 'program' | 'app';
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
    async start(name, { as = 'app', env: more = {}, config: own = {} } = {}) {
      const place = join(folder, name);
      await mkdir(place, { recursive: true });
      const config = {
        meshgate: 1,
        node: { name },
        backplane: { redis: `redis://127.0.0.1:${redis.port}` },
        listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
        status: { address: '127.0.0.1:0' },
        admin: { address: '127.0.0.1:0' },
        telemetry: { accessLog: false },
        ...own,
      };
      const file = await writeConfig(place, config);
      const env = { MESHGATE_CONFIG_KEY: key, ...more };
      const begin = as === 'app' ? startApp : startProgram;
      return { folder: place, config, ...(await begin(file, place, env)) };
    },
  };
}

type Started = Omit<VersionGateway, 'folder' | 'config'>;
type Env = Readonly<Record<string, string>>;

async function startProgram(file: string, cwd: string, env: Env): Promise<Started> {
  const gateway = await startMeshgate(file, { cwd, env });
  const { program, statusPort, url } = gateway;
  return {
    url,
    ...asking(statusPort),
    async stop() {
      program.signal('SIGTERM');
      await program.ended;
    },
  };
}

async function startApp(configFile: string, _cwd: string, env: Env): Promise<Started> {
  const app = await createApp({ configFile, env, log: SILENT });
  const { listeners, statusPort } = await app.start();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= app.stop());
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${listeners[0]!.port}`, ...asking(statusPort), stop };
}

function asking(statusPort: number): Pick<VersionGateway, 'readiness' | 'metric'> {
  const status = `http://127.0.0.1:${statusPort}`;
  return {
    async readiness() {
      const response = await fetch(`${status}/readyz`);
      return { code: response.status, report: (await response.json()) as VersionReport };
    },
    async metric(name) {
      const text = await (await fetch(`${status}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      if (line === undefined) throw new Error(`no metric ${name}`);
      return Number(line.slice(name.length + 1));
    },
  };
}

/** Every path is answered with a text. */
export function answering(text: string): SharedDocument {
  const routes = [{ name: 'all', match: [{ path: '/*' }], respond: { status: 200, body: text } }];
  return { ...EMPTY_DOCUMENT, routes };
}

export async function answerOf({ url }: Pick<VersionGateway, 'url'>): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  return response.ok ? text : String(response.status);
}

export async function untilAnswered(gateway: VersionGateway, text: string): Promise<void> {
  await eventually(async () => ((await answerOf(gateway)) === text ? true : undefined));
}

export async function untilReady(
  gateway: VersionGateway,
  is: (report: VersionReport, code: number) => boolean,
): Promise<VersionReport> {
  return eventually(async () => {
    const { report, code } = await gateway.readiness();
    return is(report, code) ? report : undefined;
  });
}
