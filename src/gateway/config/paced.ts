/** Does what is wanted often no more than once in a while: at once after a rest, else when the rest is over. */
import { scheduleTimer, type Schedule } from '../../mesh/backplane/schedule.ts';

export interface Paced {
  /** Has it done once more, for all who want it until it begins. */
  want(): void;
  /** Does at once what waits; resolves when nothing waits and nothing is being done. */
  settled(): Promise<void>;
  /** What waits is not done. */
  cancel(): void;
}

/** `run` must not reject; the rest, in milliseconds, begins when it ends. */
export function createPaced(
  run: () => Promise<unknown>,
  restMs: number,
  monotonic: () => number = () => performance.now(),
  schedule: Schedule = scheduleTimer,
): Paced {
  let isWanted = false;
  let running: Promise<void> | undefined;
  let callOff: (() => void) | undefined;
  let endedAtMs = -Infinity;

  function want(): void {
    isWanted = true;
    if (running !== undefined || callOff !== undefined) return;
    const leftMs = endedAtMs + restMs - monotonic();
    if (leftMs > 0) callOff = schedule(leftMs, begin);
    else begin();
  }

  function begin(): void {
    cancel();
    running = run().then(() => {
      running = undefined;
      endedAtMs = monotonic();
      if (isWanted) want();
    });
  }

  function cancel(): void {
    isWanted = false;
    callOff?.();
    callOff = undefined;
  }

  async function settled(): Promise<void> {
    if (isWanted && running === undefined) begin();
    if (running === undefined) return;
    await running;
    await settled();
  }

  return { want, settled, cancel };
}
