/** What a proxy costs, as the kernel accounts for it: CPU time and memory of its processes. */
import { readdir, readFile } from 'node:fs/promises';

/** Milliseconds since the process began. */
export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

export interface ProcessStat extends CpuTime {
  readonly pid: number;
  readonly parent: number;
}

/** Linux tells CPU times in hundredths of a second, whatever its own tick is (USER_HZ). */
const MS_PER_TICK = 10;
const NUMERIC = /^[0-9]+$/;

/** A line of `/proc/<pid>/stat`; see proc_pid_stat(5). */
export function parseProcessStat(text: string): ProcessStat {
  // The name stands in parentheses and may hold anything, spaces and parentheses too.
  const nameEnds = text.lastIndexOf(')');
  const fields = text.slice(nameEnds + 2).split(' ');
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    userMs: Number(fields[11]) * MS_PER_TICK,
    systemMs: Number(fields[12]) * MS_PER_TICK,
  };
}

/** The processes that descend from any of `roots`, these included. */
export function selectTree(
  processes: readonly ProcessStat[],
  roots: readonly number[],
): ProcessStat[] {
  const members = new Set(roots);
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const { pid, parent } of processes) if (members.has(parent)) members.add(pid);
  }
  return processes.filter(({ pid }) => members.has(pid));
}

export function sumCpuTime(processes: readonly CpuTime[]): CpuTime {
  return {
    userMs: processes.reduce((sum, { userMs }) => sum + userMs, 0),
    systemMs: processes.reduce((sum, { systemMs }) => sum + systemMs, 0),
  };
}

/** Resident memory in bytes, of `/proc/<pid>/status`. */
export function parseResidentBytes(text: string): number {
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

/** CPU time that the processes and all their descendants have taken so far. */
export async function readCpuTime(roots: readonly number[]): Promise<CpuTime> {
  return sumCpuTime(await readTree(roots));
}

/** Resident bytes of the processes and all their descendants. */
export async function readResidentBytes(roots: readonly number[]): Promise<number> {
  let total = 0;
  for (const { pid } of await readTree(roots)) {
    total += parseResidentBytes(await readFile(`/proc/${pid}/status`, 'utf8'));
  }
  return total;
}

async function readTree(roots: readonly number[]): Promise<ProcessStat[]> {
  const stats: ProcessStat[] = [];
  for (const entry of await readdir('/proc')) {
    if (!NUMERIC.test(entry)) continue;
    try {
      stats.push(parseProcessStat(await readFile(`/proc/${entry}/stat`, 'utf8')));
    } catch {
      // It ended meanwhile.
    }
  }
  const tree = selectTree(stats, roots);
  const missing = roots.find((root) => tree.every(({ pid }) => pid !== root));
  if (missing !== undefined) throw new Error(`process ${missing} has ended during a measurement`);
  return tree;
}
