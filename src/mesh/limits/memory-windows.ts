/** The windows of keys in this process's memory, for who shares its limits: by the rules of the script in Redis. */
import { KeyWindows } from './key-windows.ts';
import type { Ask, Grant, LimitWindow, LimitWindows } from './limit-windows.ts';
import { LimiterStores } from './limiter-stores.ts';
import { DEFAULT_MAX_KEYS } from './memory-counters.ts';
import { SweepRound } from './sweep-round.ts';

export interface MemoryWindowsOptions {
  readonly monotonic: () => number;
  /** Keys that one limiter holds at once; one more evicts the oldest window. Default 100,000. */
  readonly maxKeysPerLimiter?: number | undefined;
}

export class MemoryWindows implements LimitWindows {
  readonly counter = 'the process that counts them';
  readonly lanes = 1;
  readonly isConnected: boolean = true;
  readonly #monotonic: () => number;
  readonly #maxKeys: number;
  readonly #round = new SweepRound();
  readonly #stores: LimiterStores<{ readonly windows: KeyWindows }>;

  constructor({ monotonic, maxKeysPerLimiter = DEFAULT_MAX_KEYS }: MemoryWindowsOptions) {
    this.#monotonic = monotonic;
    this.#maxKeys = maxKeysPerLimiter;
    this.#stores = new LimiterStores(this.#round, monotonic);
  }

  /** Keys held of all limiters. */
  get keys(): number {
    return this.#round.keys;
  }

  /** Limiters with open windows. */
  get size(): number {
    return this.#stores.size;
  }

  onConnection(): () => void {
    return () => {};
  }

  ask(window: LimitWindow, ask: Ask): Promise<Grant> {
    return Promise.resolve(this.#draw(window, ask));
  }

  /** In one go: whoever asks next finds the points gone. */
  #draw({ limiter, key, windowMs }: LimitWindow, { wanted, least, limit }: Ask): Grant {
    const nowMs = this.#monotonic();
    // Given back below: who asks may be gone for good, and only open windows are worth keeping.
    const { windows } = this.#stores.hold(limiter, () => ({
      windows: new KeyWindows(windowMs, this.#maxKeys),
    }));
    const open = windows.find(key, nowMs);
    const spent = open?.spent ?? 0;
    const left = Math.min(wanted, limit - spent);
    const granted = left >= least ? left : 0;
    const window = open ?? (granted === 0 ? undefined : this.#round.open(windows, key, nowMs));
    if (window !== undefined) window.spent += granted;
    const endsInMs = window === undefined ? windowMs : window.endsAtMs - nowMs;
    this.#stores.release(limiter);
    return { granted, spent: spent + granted, endsInMs };
  }
}
