/** Long computations as small steps, done in one go or with pauses that let traffic through. */

/** Yields after each step; a step takes well under a millisecond. */
export type Steps<R> = Generator<undefined, R, undefined>;

export function runAtOnce<R>(steps: Steps<R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Runs steps for `sliceMs` milliseconds by `monotonicMs`, waits for `pause`, and so on. */
export async function runInSlices<R>(
  steps: Steps<R>,
  pause: () => Promise<void>,
  sliceMs: number,
  monotonicMs: () => number,
): Promise<R> {
  let sliceEnd = monotonicMs() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (monotonicMs() < sliceEnd) continue;
    await pause();
    sliceEnd = monotonicMs() + sliceMs;
  }
}

const RUN_LENGTH = 256;
const MERGED_PER_STEP = 1024;

/** A stable merge sort; the built-in sort of 100,000 items would hold the thread for too long. */
export function* sortInSteps<I>(items: readonly I[], compare: (a: I, b: I) => number): Steps<I[]> {
  let runs: I[][] = [];
  for (let i = 0; i < items.length; i += RUN_LENGTH) {
    runs.push(items.slice(i, i + RUN_LENGTH).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: I[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const left = runs[i]!;
      const right = runs[i + 1];
      longer.push(right === undefined ? left : yield* mergeInSteps(left, right, compare));
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

function* mergeInSteps<I>(
  left: readonly I[],
  right: readonly I[],
  compare: (a: I, b: I) => number,
): Steps<I[]> {
  const merged: I[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const fromLeft = r === right.length || (l < left.length && compare(left[l]!, right[r]!) <= 0);
    merged.push(fromLeft ? left[l++]! : right[r++]!);
    if (merged.length % MERGED_PER_STEP === 0) yield;
  }
  yield;
  return merged;
}
