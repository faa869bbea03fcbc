/** The retry budget: retries are paid for by requests, so they cannot become the load that breaks a service. */

export interface RetryBudgetOptions {
  /** Retries per request, e.g. 0.2 for one in five; default 0.2. 0 leaves the minimum alone. */
  readonly ratio?: number | undefined;
  /** Retries allowed per second whatever the traffic; default 10. */
  readonly minPerSecond?: number | undefined;
  /** How long a request's deposit lasts, in milliseconds; default 10,000. */
  readonly windowMs?: number | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
}

export interface RetryBudget {
  /** Once a request, on its first try; `nowMs` is of `monotonic`, by default now. */
  deposit(nowMs?: number): void;
  /** Once a retry; false: do not retry. */
  tryWithdraw(): boolean;
  /** Retries that would be granted now. */
  readonly available: number;
}

const BUCKETS = 10;

/**
 * A request deposits 1, a retry withdraws 1/ratio (5); a reserve of minPerSecond for the whole
 * window (10/s · 10 s = 100 retries) is always there, and what goes in or out of the account is
 * forgotten after the window. Source: Finagle and Linkerd "retry budgets", tower TpsBudget, GEP-3388.
 */
export function createRetryBudget(options: RetryBudgetOptions): RetryBudget {
  return new WindowedBudget(options);
}

class WindowedBudget implements RetryBudget {
  readonly #monotonic: () => number;
  /** Of a request. */
  readonly #deposited: number;
  /** Of a retry. */
  readonly #price: number;
  /** What is there whatever was deposited. */
  readonly #reserve: number;
  readonly #bucketMs: number;
  /** What went in, less what went out, by bucket of time. */
  readonly #buckets = new Float64Array(BUCKETS);
  #current: number;
  #balance = 0;

  constructor(options: RetryBudgetOptions) {
    const { ratio = 0.2, minPerSecond = 10, windowMs = 10_000, monotonic } = options;
    this.#monotonic = monotonic;
    this.#deposited = ratio === 0 ? 0 : 1;
    this.#price = ratio === 0 ? 1 : 1 / ratio;
    this.#reserve = ((minPerSecond * windowMs) / 1_000) * this.#price;
    this.#bucketMs = windowMs / BUCKETS;
    this.#current = Math.floor(monotonic() / this.#bucketMs);
  }

  deposit(nowMs = this.#monotonic()): void {
    this.#expire(nowMs);
    this.#book(this.#deposited);
  }

  tryWithdraw(): boolean {
    this.#expire(this.#monotonic());
    if (this.#balance + this.#reserve < this.#price) return false;
    this.#book(-this.#price);
    return true;
  }

  get available(): number {
    this.#expire(this.#monotonic());
    return Math.max(0, Math.floor((this.#balance + this.#reserve) / this.#price));
  }

  #expire(nowMs: number): void {
    const now = Math.floor(nowMs / this.#bucketMs);
    if (now <= this.#current) return;
    if (now - this.#current >= BUCKETS) {
      this.#buckets.fill(0);
      this.#balance = 0;
      this.#current = now;
      return;
    }
    while (this.#current < now) {
      const index = ++this.#current % BUCKETS;
      this.#balance -= this.#buckets[index]!;
      this.#buckets[index] = 0;
    }
  }

  #book(amount: number): void {
    this.#buckets[this.#current % BUCKETS]! += amount;
    this.#balance += amount;
  }
}
