/** Nodes of a fleet that are changed by their admin APIs: each a program of its own, or an app of this process. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { App } from '../../../src/cli/app-port.ts';
import type { RedisTarget } from '../../../src/mesh/backplane/redis/redis-target.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { newKey } from '../../gateway/config/versions/version-node.ts';
import { freePorts } from '../../redis/free-port.ts';
import {
  createFolder,
  eventually,
  startMeshgate,
  writeConfig,
  type GatewayProcess,
} from '../process/gateway-process.ts';
import type { VersionReport } from './version-nodes.ts';

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Question {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FleetReport extends VersionReport {
  readonly config_shared_hash?: string;
}

export interface NodeOptions {
  /** A program of its own costs a second of CPU time to start, and can be killed. */
  readonly as: 'program' | 'app';
  /** Beside what all of them have. */
  readonly config?: Readonly<Record<string, unknown>>;
}

interface Running {
  readonly httpPort: number;
  readonly statusPort: number;
  end(): Promise<void>;
  kill(): Promise<void>;
}

/** Has the same folder and admin address each time it is started. */
export class FleetNode {
  readonly name: string;
  readonly adminPort: number;
  readonly #folder: string;
  readonly #begin: () => Promise<Running>;
  #running: Running | undefined;
  #token: string | undefined;

  constructor(name: string, adminPort: number, folder: string, begin: () => Promise<Running>) {
    this.name = name;
    this.adminPort = adminPort;
    this.#folder = folder;
    this.#begin = begin;
  }

  get httpPort(): number {
    return this.#running!.httpPort;
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  async start(): Promise<void> {
    this.#running = await this.#begin();
    this.#token ??= (await readFile(join(this.#folder, '.meshgate/admin-token'), 'utf8')).trim();
  }

  /** Told to stop. */
  async stop(): Promise<void> {
    await this.#running?.end();
    this.#running = undefined;
  }

  async kill(): Promise<void> {
    await this.#running?.kill();
    this.#running = undefined;
  }

  /** Of the admin API, with the node's own token. */
  async ask(path: string, { method = 'GET', body, headers }: Question = {}): Promise<Asked> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { 'content-type': type }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const parsed = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: answer.status, headers: answer.headers, body: parsed };
  }

  /** As `ask`; throws where it is not answered with success. */
  async must(path: string, question: Question = {}): Promise<Asked> {
    const asked = await this.ask(path, question);
    if (asked.status < 300) return asked;
    const what = `${question.method ?? 'GET'} ${path} by ${this.name}`;
    throw new Error(`${what}: ${asked.status} ${JSON.stringify(asked.body)}`);
  }

  async report(): Promise<FleetReport> {
    const answer = await fetch(`http://127.0.0.1:${this.#running!.statusPort}/readyz`);
    return (await answer.json()) as FleetReport;
  }

  /** Resolves once it runs that version. */
  runs(version: number): Promise<FleetReport> {
    return eventually(async () => {
      const report = await this.report();
      return report.config_version === version ? report : undefined;
    });
  }
}

/** By name. All are started, and gone when the test has finished. */
export async function startAdminFleet<Name extends string>(
  target: RedisTarget,
  nodes: Readonly<Record<Name, NodeOptions>>,
): Promise<Readonly<Record<Name, FleetNode>>> {
  const folder = await createFolder();
  const names = Object.keys(nodes) as Name[];
  const adminPorts = await freePorts(names.length);
  const env = { MESHGATE_CONFIG_KEY: newKey() };
  const started = await Promise.all(
    names.map(async (name, i) => {
      const { as, config = {} } = nodes[name];
      const place = join(folder, name);
      await mkdir(place);
      const file = await writeConfig(place, {
        meshgate: 1,
        node: { name },
        backplane: { redis: toRedisSetting(target) },
        listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
        status: { address: '127.0.0.1:0' },
        admin: { address: `127.0.0.1:${adminPorts[i]}` },
        telemetry: { accessLog: false },
        ...config,
      });
      const begin =
        as === 'app'
          ? () => startApp(file, env)
          : async () => toRunning(await startMeshgate(file, { cwd: place, env }));
      const node = new FleetNode(name, adminPorts[i]!, place, begin);
      await node.start();
      if (as === 'app') onTestFinished(() => node.stop());
      return [name, node] as const;
    }),
  );
  return Object.fromEntries(started) as Record<Name, FleetNode>;
}

async function startApp(configFile: string, env: Readonly<Record<string, string>>) {
  const app: App = await createApp({ configFile, env, log: SILENT });
  const { listeners, statusPort } = await app.start();
  return {
    httpPort: listeners.find(({ name }) => name === 'http')!.port,
    statusPort,
    end: () => app.stop(),
    kill: () => Promise.reject(new Error('an app of this process cannot be killed')),
  };
}

function toRunning(gateway: GatewayProcess): Running {
  const { program, statusPort } = gateway;
  return {
    httpPort: gateway.portOf('http'),
    statusPort,
    async end() {
      program.signal('SIGTERM');
      await program.ended;
    },
    kill: () => program.kill(),
  };
}

function toRedisSetting({ topology }: RedisTarget): unknown {
  const toText = ({ host, port }: { readonly host: string; readonly port: number }): string =>
    `${host}:${port}`;
  switch (topology.type) {
    case 'single':
      return `redis://${toText(topology)}`;
    case 'sentinel':
      return { sentinels: topology.sentinels.map(toText), name: topology.name };
    case 'cluster':
      return { cluster: topology.nodes.map(toText) };
    default:
      return topology satisfies never;
  }
}
