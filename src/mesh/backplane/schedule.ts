/** Timers of the loops that keep the mesh current, handed in so that tests can have their own time. */

/** Runs something later; returns how to call it off. */
export type Schedule = (delayMs: number, run: () => void) => () => void;

/** Monotonic, and no reason for the process to live on. */
export const scheduleTimer: Schedule = (delayMs, run) => {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
};
