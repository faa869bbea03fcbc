/** A Meshgate of a mesh under test: a process of its own, as its users run it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { PROXY_CORE } from '../cores.ts';
import { findFreePorts } from '../free-port.ts';
import { MAIN } from '../peers/meshgate.ts';
import type { ProcessKeeper, ServerProcess } from '../process-keeper.ts';

const START_TIMEOUT_MS = 30_000;

export interface MeshGateway {
  readonly name: string;
  /** Its working directory; `data` in it is its data directory. */
  readonly directory: string;
  readonly pid: number;
  readonly port: number;
  /** Without a path. */
  readonly url: string;
  /** Of its probes and metrics, without a path. */
  readonly statusUrl: string;
  /** The sum of a metric's samples. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** `config` is what a user would write, less the listener, the status address and the access log. */
export async function startMeshGateway(
  context: BenchContext,
  name: string,
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<MeshGateway> {
  const [port, statusPort] = (await findFreePorts(2)) as [number, number];
  const directory = join(context.directory, `${name}-${port}`);
  const document = {
    node: { name },
    listeners: [{ name: 'public', address: `127.0.0.1:${port}` }],
    status: { address: `127.0.0.1:${statusPort}` },
    telemetry: { accessLog: { format: 'json', path: 'access.log' } },
    ...config,
  };
  const server = await startNode(context.processes, directory, document, env);
  const status = `http://127.0.0.1:${statusPort}`;
  await awaitReady(name, server, status);
  return {
    name,
    directory,
    port,
    pid: server.pid,
    url: `http://127.0.0.1:${port}`,
    statusUrl: status,
    async metric(wanted) {
      const text = await (await fetch(`${status}/metrics`)).text();
      const samples = text.split('\n').filter((line) => new RegExp(`^${wanted}[{ ]`).test(line));
      return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    stop: () => server.stop(),
  };
}

/** Starts one in a folder of its own, which it makes, on the proxy's core. `document`: its file, less version and data directory. */
export async function startNode(
  processes: ProcessKeeper,
  directory: string,
  document: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  await mkdir(directory);
  const file = join(directory, 'meshgate.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ meshgate: 1, dataDir: './data', ...document }));
  return processes.start(
    [process.execPath, MAIN, 'start', '--config', file],
    join(directory, 'output.log'),
    { core: PROXY_CORE, cwd: directory, env: { NODE_ENV: 'production', ...env } },
  );
}

/** Resolves once it serves. `status`: of its probes, without a path. */
export async function awaitReady(
  name: string,
  server: ServerProcess,
  status: string,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(`${status}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    const fault = await server.fault();
    if (fault !== undefined) throw new Error(`${name} ${fault}`);
    if (performance.now() > deadline) throw new Error(`${name} does not get ready`);
    await delay(50);
  }
}
