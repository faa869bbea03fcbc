/** Lets traffic go before the thread that calls it. */
import { getPriority, setPriority } from 'node:os';

/** A third of the time that others get who want all of it: on a busy machine, too, a change gets through. */
const NICER_BY = 5;
const NICEST = 19;

/**
 * Called by a thread of its own. Where a core is all there is, it would hold up traffic each time it is woken: the system lets
 * who has slept go first. On Linux this is of the thread alone, elsewhere of the whole process.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(NICEST, getPriority(0) + NICER_BY));
  } catch {
    // A sandbox may forbid it.
  }
}
