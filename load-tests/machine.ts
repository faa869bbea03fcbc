/** What the figures were measured on. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { readHaltPollNs } from './halt-polling.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** Nanoseconds that a processor waits before it halts; undefined: not known. */
  readonly haltPollNs: number | undefined;
  /** By name, of the proxies that were there. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Call it before this process is bound to a core. */
export async function describeMachine(
  versions: Readonly<Record<string, string>>,
): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.versions.node,
    haltPollNs: await readHaltPollNs(),
    versions,
  };
}

export function toMachineLine({ cpu, cores, kernel, haltPollNs, versions }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const halting = haltPollNs === undefined ? '' : ` that halt after ${haltPollNs / 1e6} ms`;
  return `${cpu}, ${cores} cores${halting}, Linux ${kernel}, Node ${process.versions.node}; ${programs.join(', ')}.`;
}
