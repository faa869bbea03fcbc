/** Lets traffic go before a thread that has much to do. */
import { getPriority, setPriority } from 'node:os';

/** A third of the time that others get who want all of it: on a busy machine, too, a change gets through. */
const NICER_BY = 5;
const NICEST = 19;

/** So long it works, and so long it then sleeps, in milliseconds. */
const WORK_MS = 1;
const SLEEP_MS = 1;
/** A look at the clock costs more than most items. */
const ITEMS_A_LOOK = 32;

/** Undefined in threads that give way to nobody. */
let sleeper: Int32Array | undefined;
let worksUntilMs = 0;

/**
 * Called by a thread of its own. Where a core is all there is, it would hold up traffic each time it is woken: the system lets
 * who has slept go first. On Linux this is of the thread alone, elsewhere of the whole process.
 */
export function giveWay(): void {
  sleeper = new Int32Array(new SharedArrayBuffer(4));
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(NICEST, getPriority(0) + NICER_BY));
  } catch {
    // A sandbox may forbid it.
  }
}

/**
 * Called in loops over all that a configuration has, with the place in the list. Where its core is all there is, a
 * thread that gives way keeps traffic waiting for as long as the system leaves it at work, however nice it is: on
 * Linux to the next tick, 4 ms. One that sleeps now and then keeps it for no longer than it works. Does
 * nothing in other threads.
 */
export function breathe(at: number): void {
  if (sleeper === undefined || at % ITEMS_A_LOOK !== 0 || performance.now() < worksUntilMs) return;
  Atomics.wait(sleeper, 0, 0, SLEEP_MS);
  worksUntilMs = performance.now() + WORK_MS;
}
