/** Work in many small steps that lets traffic have its turns in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Of entries of a configuration: about a millisecond. */
const STEPS_A_TURN = 100;

/** Runs it to its end, and resolves to what it returns; `take` is given what it yields. */
export async function inTurns<Step, Result>(
  work: Generator<Step, Result>,
  take: (step: Step) => void = () => {},
): Promise<Result> {
  for (let steps = 1; ; steps++) {
    const next = work.next();
    if (next.done === true) return next.value;
    take(next.value);
    if (steps % STEPS_A_TURN === 0) await nextTurn();
  }
}
