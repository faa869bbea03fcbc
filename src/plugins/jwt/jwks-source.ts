/** Keys that an issuer publishes: loaded, kept, and loaded anew when they age or a key is missing. */
import type { Clock, Log } from '../sdk/plugin.ts';
import { parseKeySet, type KeySet } from './key-set.ts';
import type { KeySource } from './key-source.ts';

export interface JwksSourceOptions {
  /** The key set's URL or file, for the log. */
  readonly location: string;
  /** Gets the parsed JSON; rejects, within a bounded time, where it cannot be had. */
  readonly load: () => Promise<unknown>;
  /** How old the keys may get, in milliseconds; they are loaded again before. */
  readonly maxAgeMs: number;
  /** Between two loads that missing keys cause, and at most between two tries of a failing one, in milliseconds. */
  readonly cooldownMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Told of every load's end. */
  readonly onLoaded?: (result: 'ok' | 'failed') => void;
}

const FIRST_RETRY_MS = 1000;

/**
 * Loads happen one at a time and because of a request, so there is no timer to stop: a source that
 * nobody asks fetches nothing. Once loaded, keys are kept while the issuer cannot be reached,
 * however long that is: an issuer's failure must not become everybody's.
 */
export class JwksSource implements KeySource {
  keys: KeySet | undefined;
  version = 0;
  readonly #options: JwksSourceOptions;
  /** Monotonic milliseconds of the last load that succeeded. */
  #loadedAt = 0;
  /** Monotonic milliseconds. */
  #refreshAt = 0;
  #notBefore = -Infinity;
  #failures = 0;
  #underWay: Promise<void> | undefined;

  constructor(options: JwksSourceOptions) {
    this.#options = options;
  }

  isCurrent(): boolean {
    if (this.keys === undefined) return false;
    const now = this.#options.clock.monotonic();
    if (now < this.#refreshAt) return true;
    void this.refresh();
    // Past its age after a quiet time, the set may hold a key that was withdrawn: worth a wait. With
    // the issuer failing, requests would wait for nothing.
    return this.#failures > 0 || now - this.#loadedAt < this.#options.maxAgeMs;
  }

  refresh(): Promise<void> | undefined {
    if (this.#underWay !== undefined) return this.#underWay;
    if (this.#options.clock.monotonic() < this.#notBefore) return undefined;
    this.#underWay = this.#load().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #load(): Promise<void> {
    const { load, onLoaded } = this.#options;
    try {
      this.#accept(parseKeySet(await load()));
      onLoaded?.('ok');
    } catch (error) {
      this.#postpone(error);
      onLoaded?.('failed');
    }
  }

  #accept(keys: KeySet): void {
    const { location, log, clock, maxAgeMs, cooldownMs, random } = this.#options;
    // No issuer withdraws its last key without a new one: a set of none is a broken answer.
    if (keys.keys.length === 0)
      throw new Error(`no usable key: ${keys.refused.join('; ') || 'empty'}`);
    if (this.keys === undefined || !isSameKeySet(this.keys, keys)) {
      this.version += 1;
      if (keys.refused.length > 0) {
        log.warn({ location, refused: keys.refused }, 'some keys of the key set are not used');
      }
      log.info({ location, keys: keys.keys.length }, 'key set loaded');
    }
    this.keys = keys;
    this.#failures = 0;
    this.#loadedAt = clock.monotonic();
    // Jittered, so that the workers of many nodes do not all ask at once.
    this.#refreshAt = this.#loadedAt + maxAgeMs * (0.7 + 0.2 * random());
    this.#notBefore = this.#loadedAt + cooldownMs;
  }

  #postpone(error: unknown): void {
    const { location, log, clock, cooldownMs } = this.#options;
    this.#failures += 1;
    const delayMs = Math.min(cooldownMs, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#notBefore = clock.monotonic() + delayMs;
    const reason = error instanceof Error ? error.message : String(error);
    log.warn(
      {
        location,
        reason,
        failures: this.#failures,
        kept: this.keys?.keys.length ?? 0,
        retryInMs: delayMs,
      },
      'the key set could not be loaded',
    );
  }
}

function isSameKeySet(a: KeySet, b: KeySet): boolean {
  return (
    a.keys.length === b.keys.length &&
    a.keys.every((key, index) => {
      const other = b.keys[index]!;
      return (
        key.id === other.id &&
        key.algorithms.join() === other.algorithms.join() &&
        key.key.equals(other.key)
      );
    })
  );
}
