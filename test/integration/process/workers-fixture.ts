/** A gateway with two workers, and what can be seen of them from outside. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import {
  createFolder,
  eventually,
  MAIN,
  startMeshgate,
  UNHURRIED,
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

/** So started, processes know the plugin `tell`, and shed no load. */
export const TELLING = {
  NODE_OPTIONS: `${UNHURRIED.NODE_OPTIONS} --import=${join(import.meta.dirname, 'telling-plugin.ts')}`,
  STANDARD_PLUGINS: join(dirname(MAIN), '../plugins/standard.js'),
};

/** To be called in a file or a `describe`: one for all of its tests. */
export function shareWorkers(
  config: () => Record<string, unknown>,
  options?: RunOptions,
): () => NodeWithWorkers {
  const ends: (() => void | Promise<void>)[] = [];
  let node: NodeWithWorkers;
  beforeAll(async () => {
    node = await startWorkers(config(), { ...options, onEnd: (end) => ends.unshift(end) });
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  return () => node;
}

export async function startWorkers(
  config: Record<string, unknown> = {},
  options?: RunOptions,
): Promise<NodeWithWorkers> {
  const origin = await startOrigin('origin', options?.onEnd);
  const folder = await createFolder(options?.onEnd);
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

/** Resolves when the supervisor has been told that every connection has ended: then workers are equals. */
export async function untilIdle({ gateway }: NodeWithWorkers): Promise<void> {
  await eventually(async () => {
    const page = await (await fetch(`http://127.0.0.1:${gateway.statusPort}/metrics`)).text();
    return /^meshgate_connections\{.*\} [1-9]/m.test(page) ? undefined : true;
  });
}

async function childrenOf(pid: number): Promise<number[]> {
  // It fails where there are none.
  const found = await promisify(execFile)('pgrep', ['-P', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return found.stdout.split('\n').filter(Boolean).map(Number);
}

/** One that has ended, and whose parent has not asked how, is not: whoever is process 1 may never ask. */
export function isAlive(pid: number): boolean {
  try {
    // proc(5): the state comes behind the name, which is in parentheses and may have some itself.
    return !/.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
