/** Limits how much CPU time a process and its children take, by a control group (cgroup). */
import { existsSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** Short, so that whoever has used up his share waits no longer than a request may take. */
const PERIOD_US = 10_000;

/** `cores`: their time, 0.5 being half of one. Rejects where there are no such groups or not enough rights. */
export async function limitCpu(pid: number, cores: number): Promise<CpuQuota> {
  const isUnified = existsSync(join(ROOT, 'cgroup.controllers'));
  const group = join(ROOT, isUnified ? '' : 'cpu', `meshgate-bench-${pid}`);
  const quotaUs = Math.round(PERIOD_US * cores);
  try {
    if (isUnified) await writeFile(join(ROOT, 'cgroup.subtree_control'), '+cpu');
    await mkdir(group);
    if (isUnified) {
      await writeFile(join(group, 'cpu.max'), `${quotaUs} ${PERIOD_US}`);
    } else {
      await writeFile(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
      await writeFile(join(group, 'cpu.cfs_quota_us'), String(quotaUs));
    }
    await writeFile(join(group, 'cgroup.procs'), String(pid));
  } catch (cause) {
    throw new Error('CPU time cannot be limited: that takes control groups, and root', { cause });
  }
  return { lift: () => rmdir(group) };
}

export interface CpuQuota {
  /** Once its processes have ended. */
  lift(): Promise<void>;
}
