/** A whole gateway on free ports, for tests through real sockets. */
import { mkdtemp, readFile, rm, writeFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createApp } from '../../src/app.ts';
import type { Log } from '../../src/plugins/sdk/plugin-context.ts';

export interface TestGateway {
  /** Of the listeners `http` and `https`. */
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Of a listener that was there at the start; 0 where there was none of that name. */
  portOf(listener: string): number;
  readonly statusPort: number;
  readonly configFile: string;
  /** A folder of its own, gone after `stop`. */
  readonly directory: string;
  /** Rewrites the file as a user would; resolves when the gateway has applied or refused it. */
  reconfigure(
    config: object,
  ): Promise<{ readonly successful: boolean; readonly errors: readonly string[] }>;
  /** Parsed lines so far. The access log is written in batches: `waitForLog` waits for one. */
  waitForLog(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts a gateway whose listeners are `http` and `https` (self-signed for localhost) unless `config` has
 * its own. `config` is what a user would write, less `meshgate: 1`.
 */
export async function startGateway(
  config: Record<string, unknown>,
  env: Readonly<Record<string, string>> = {},
  log: Log = pino({ level: 'silent' }),
): Promise<TestGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'meshgate-test-'));
  const configFile = join(directory, 'meshgate.yaml');
  const logFile = join(directory, 'access.log');
  // At once: half a file would be a reload of its own. JSON is YAML.
  const write = async (body: object): Promise<void> => {
    const next = join(directory, 'next.yaml');
    await writeFile(next, JSON.stringify({ ...defaults(logFile), ...body }, null, 2));
    await rename(next, configFile);
  };
  await write(config);
  const app = await createApp({ configFile, env, log });
  const { listeners, statusPort } = await app.start();
  const portOf = (name: string): number => listeners.find((one) => one.name === name)?.port ?? 0;
  const status = `http://127.0.0.1:${statusPort}`;

  return {
    httpPort: portOf('http'),
    httpsPort: portOf('https'),
    portOf,
    statusPort,
    configFile,
    directory,
    async reconfigure(next) {
      const before = await lastReload(status);
      await write(next);
      return until(async () => {
        const report = await lastReload(status);
        return report?.at === before?.at ? undefined : report;
      });
    },
    waitForLog: (matches) =>
      until(async () => {
        const text = await readFile(logFile, 'utf8').catch(() => '');
        // Behind the last line end is nothing, or half a line.
        const lines = text.split('\n').slice(0, -1);
        return lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(matches);
      }),
    metrics: async () => (await fetch(`${status}/metrics`)).text(),
    async stop() {
      await app.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function defaults(logFile: string): Record<string, unknown> {
  return {
    meshgate: 1,
    listeners: [
      { name: 'http', address: '127.0.0.1:0', protocol: 'http' },
      {
        name: 'https',
        address: '127.0.0.1:0',
        protocol: 'https',
        tls: { selfSigned: ['localhost'] },
      },
    ],
    status: { address: '127.0.0.1:0' },
    admin: { address: '127.0.0.1:0' },
    telemetry: { accessLog: { format: 'json', path: logFile } },
  };
}

interface ReloadReport {
  readonly successful: boolean;
  readonly at: string;
  readonly errors: readonly string[];
}

async function lastReload(status: string): Promise<ReloadReport | undefined> {
  const response = await fetch(`${status}/readyz`);
  return ((await response.json()) as { last_reload?: ReloadReport }).last_reload;
}

/** Asks again until there is something; the test's own timeout ends a wait in vain. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
