/** How long nothing else got a turn while something was done. */

export interface Watched<Result> {
  readonly result: Result;
  readonly tookMs: number;
  readonly cpuMs: number;
  /** The longest time between two turns of the event loop. */
  readonly longestMs: number;
}

export async function watchLoop<Result>(work: () => Promise<Result>): Promise<Watched<Result>> {
  let isOver = false;
  let longestMs = 0;
  let lastMs = performance.now();
  const look = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setTimeout(look, 1);
  };
  setTimeout(look, 1);
  const before = process.threadCpuUsage();
  const startMs = performance.now();
  const result = await work();
  const tookMs = performance.now() - startMs;
  const { user, system } = process.threadCpuUsage(before);
  // The last stretch, too.
  longestMs = Math.max(longestMs, performance.now() - lastMs);
  isOver = true;
  return { result, tookMs, cpuMs: (user + system) / 1000, longestMs };
}
