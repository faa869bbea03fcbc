/** How soon a worker that has ended is replaced: at once, unless they end one after the other. */

/** One that lived so long has not ended because of how it started. */
export const STABLE_AFTER_MS = 30_000;

const MAX_DELAY_MS = 30_000;

/** `deaths`: in a row. 0, 1, 2, 4 … 30 s, of which up to a quarter less by chance. */
export function restartDelayMs(deaths: number, random: () => number): number {
  if (deaths <= 1) return 0;
  const delayMs = Math.min(MAX_DELAY_MS, 1000 * 2 ** (deaths - 2));
  return delayMs * (1 - random() / 4);
}
