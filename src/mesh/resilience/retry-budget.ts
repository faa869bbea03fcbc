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
  const { ratio = 0.2, minPerSecond = 10, windowMs = 10_000, monotonic } = options;
  const deposited = ratio === 0 ? 0 : 1;
  const price = ratio === 0 ? 1 : 1 / ratio;
  const reserve = ((minPerSecond * windowMs) / 1_000) * price;
  const bucketMs = windowMs / BUCKETS;
  /** What went in, less what went out, by bucket of time. */
  const buckets = new Float64Array(BUCKETS);
  let current = Math.floor(monotonic() / bucketMs);
  let balance = 0;

  function expire(nowMs: number): void {
    const now = Math.floor(nowMs / bucketMs);
    if (now <= current) return;
    if (now - current >= BUCKETS) {
      buckets.fill(0);
      balance = 0;
      current = now;
      return;
    }
    while (current < now) {
      current += 1;
      const index = current % BUCKETS;
      balance -= buckets[index] as number;
      buckets[index] = 0;
    }
  }

  function book(amount: number): void {
    const index = current % BUCKETS;
    buckets[index] = (buckets[index] as number) + amount;
    balance += amount;
  }

  return {
    deposit(nowMs = monotonic()) {
      expire(nowMs);
      book(deposited);
    },
    tryWithdraw() {
      expire(monotonic());
      if (balance + reserve < price) return false;
      book(-price);
      return true;
    },
    get available() {
      expire(monotonic());
      return Math.max(0, Math.floor((balance + reserve) / price));
    },
  };
}
