/** Deadlines for hooks that wait: a timer is armed only for those that outlive the turn they began in. */

class Deadline<T> {
  settled = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #ms: number;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(ms: number, resolve: (value: T) => void, reject: (error: unknown) => void) {
    this.#ms = ms;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  arm(): void {
    this.#timer = setTimeout(() => {
      this.settle();
      this.#reject(new Error(`no result within ${this.#ms} ms`));
    }, this.#ms);
  }

  fulfil(value: T): void {
    this.settle();
    this.#resolve(value);
  }

  fail(error: unknown): void {
    this.settle();
    this.#reject(error);
  }

  settle(): void {
    this.settled = true;
    clearTimeout(this.#timer);
  }
}

/** Of this turn. Most hooks that return a promise, such as a counter in memory, settle within it. */
let begun: Deadline<never>[] = [];

function armUnsettled(): void {
  const due = begun;
  begun = [];
  for (const deadline of due) if (!deadline.settled) deadline.arm();
}

/** As `pending`, but rejected where it has not settled within `deadlineMs` milliseconds. */
export function withDeadline<T>(pending: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline<T>(deadlineMs, resolve, reject);
    if (begun.push(deadline) === 1) setImmediate(armUnsettled);
    pending.then(
      (value) => deadline.fulfil(value),
      (error: unknown) => deadline.fail(error),
    );
  });
}
