/** What the figures were measured on. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** By name, of the proxies that were there. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Call it before this process is bound to a core. */
export function describeMachine(versions: Readonly<Record<string, string>>): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.versions.node,
    versions,
  };
}

export function toMachineLine({ cpu, cores, kernel, versions }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cpu}, ${cores} cores, Linux ${kernel}, Node ${process.versions.node}; ${programs.join(', ')}.`;
}
