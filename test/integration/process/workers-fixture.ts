/** A gateway with two workers, and what can be seen of them from outside. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  createFolder,
  eventually,
  startMeshgate,
  toConfig,
  writeConfig,
  type GatewayProcess,
  type RunOptions,
} from './gateway-process.ts';
import { startOrigin, type Origin } from './origin.ts';

export interface NodeWithWorkers {
  readonly gateway: GatewayProcess;
  readonly origin: Origin;
  readonly configFile: string;
  readonly folder: string;
  /** Process ids of those that live. */
  workers(): Promise<number[]>;
  report(): Promise<{ readonly wanted: number; readonly ready: number; readonly restarts: number }>;
  rewrite(config: Record<string, unknown>): Promise<string>;
}

export const WORKERS = { node: { workers: 2 } };

export async function startWorkers(
  config: Record<string, unknown> = {},
  options?: RunOptions,
): Promise<NodeWithWorkers> {
  const origin = await startOrigin();
  const folder = await createFolder();
  const rewrite = (next: Record<string, unknown>): Promise<string> =>
    writeConfig(folder, toConfig(origin.port, { ...WORKERS, ...next }));
  const configFile = await rewrite(config);
  const gateway = await startMeshgate(configFile, options);
  return {
    gateway,
    origin,
    configFile,
    folder,
    rewrite,
    workers: () => childrenOf(gateway.program.child.pid!),
    async report() {
      const response = await fetch(`http://127.0.0.1:${gateway.statusPort}/readyz`);
      return ((await response.json()) as { workers: never }).workers;
    },
  };
}

/** Resolves when both take connections, and none of `gone` lives. */
export async function untilBothReady(
  node: NodeWithWorkers,
  gone: readonly number[] = [],
): Promise<void> {
  await eventually(async () => {
    const alive = await node.workers();
    const { ready } = await node.report();
    return ready === 2 && !gone.some((pid) => alive.includes(pid)) ? true : undefined;
  });
}

async function childrenOf(pid: number): Promise<number[]> {
  // It fails where there are none.
  const found = await promisify(execFile)('pgrep', ['-P', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return found.stdout.split('\n').filter(Boolean).map(Number);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
