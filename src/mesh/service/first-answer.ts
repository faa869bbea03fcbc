/** The wait for discovery's first word, which calls that come too early may share. */

/** No request waits longer for the backplane, whatever has become of it. */
const MAX_FIRST_WAIT_MS = 20;

export class FirstAnswer {
  /** Resolves when discovery has spoken for the first time. */
  readonly ready: Promise<void>;
  /** Discovery has spoken. */
  isKnown = false;
  readonly #monotonic: () => number;
  #resolve: (() => void) | undefined;
  #waitUntilMs = 0;
  #wait: Promise<undefined> | undefined;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
    this.ready = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** From now on it can be waited for. */
  start(): void {
    this.#waitUntilMs = this.#monotonic() + MAX_FIRST_WAIT_MS;
  }

  known(): void {
    this.isKnown = true;
    this.#resolve?.();
  }

  /**
   * Resolves when discovery has spoken, or when calls have waited long enough. Undefined where
   * there is nothing to wait for any more.
   */
  get wait(): Promise<undefined> | undefined {
    if (this.isKnown) return undefined;
    const leftMs = this.#waitUntilMs - this.#monotonic();
    if (leftMs <= 0) return undefined;
    return (this.#wait ??= new Promise((resolve) => {
      const enough = (): void => {
        clearTimeout(timer);
        // Whatever the timer makes of fractions.
        this.#waitUntilMs = 0;
        resolve(undefined);
      };
      const timer = setTimeout(enough, leftMs);
      void this.ready.then(enough);
    }));
  }
}
