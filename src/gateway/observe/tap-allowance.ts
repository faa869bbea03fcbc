/** How many events one reader of the tap may still have, and how many it was not told of. */
import type { TapDrops, TapRequest } from './tap.ts';

const SECOND_MS = 1_000;

export class TapAllowance {
  readonly #ratePerSecond: number;
  readonly #limit: number | undefined;
  #taken = 0;
  #secondBeganMs = -Infinity;
  #inSecond = 0;
  #slow = 0;
  #rate = 0;

  constructor({ ratePerSecond, limit }: Pick<TapRequest, 'ratePerSecond' | 'limit'>) {
    this.#ratePerSecond = ratePerSecond;
    this.#limit = limit;
  }

  /** It has been given as many as it asked for. */
  get isSated(): boolean {
    return this.#limit !== undefined && this.#taken >= this.#limit;
  }

  /** False, and counted as dropped: there were as many in this second as it asked for. */
  admits(nowMs: number): boolean {
    if (nowMs - this.#secondBeganMs >= SECOND_MS) {
      this.#secondBeganMs = nowMs;
      this.#inSecond = 0;
    }
    if (this.#inSecond < this.#ratePerSecond) return true;
    this.#rate++;
    return false;
  }

  /** An event that was admitted is given. */
  take(): void {
    this.#inSecond++;
    this.#taken++;
  }

  /** It was not told of so many. */
  drop({ slow, rate }: TapDrops): void {
    this.#slow += slow;
    this.#rate += rate;
  }

  /** Since they were last taken; undefined for none. */
  takeDrops(): TapDrops | undefined {
    if (this.#slow === 0 && this.#rate === 0) return undefined;
    const drops = { slow: this.#slow, rate: this.#rate };
    this.#slow = 0;
    this.#rate = 0;
    return drops;
  }
}
