/** Who runs where: the proxy has a core to itself, everything else shares another. */
import { availableParallelism } from 'node:os';
import type { ProcessKeeper } from './process-keeper.ts';

export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/** Moves this process, all threads of it, off the proxy's core. */
export async function leaveProxyCore(processes: ProcessKeeper): Promise<void> {
  if (process.platform !== 'linux' || availableParallelism() < 2) {
    throw new Error('the benchmark needs Linux and two cores');
  }
  await processes.run(['taskset', '-a', '-c', '-p', String(LOAD_CORE), String(process.pid)], {
    core: LOAD_CORE,
  });
}
