/** A percentile of an endpoint's recent latency: a histogram of fixed size that forgets. */

/** Buckets to a doubling: each is 9% wider than the one before, which is how far an estimate may be off. */
const STEPS = 8;
/** The bound of the first bucket, in milliseconds; nobody waits for less. */
const SMALLEST_MS = 0.125;
/** From 0.125 ms to 65 s, and all above. */
const BUCKETS = 19 * STEPS + 1;
/** Two generations of it are kept, so that samples count for 10 to 20 s. */
const GENERATION_MS = 10_000;
/** Fewer samples say nothing of a tail. */
const MIN_SAMPLES = 20;
/** An estimate is good for so long; to work it out costs more than a sample. */
const ESTIMATE_MS = 250;

/**
 * Not the buckets of `topology/latency-buckets.ts`: those are what nodes tell each other, reach from
 * 1 µs to minutes and are read in their middle. A hedge that waits for the percentile must never
 * come too soon: here an estimate is a bucket's end, the ends are closer to each other (9%, not 12.5%
 * at worst), and what no hedge waits for has no buckets.
 *
 * Times are of a clock that never goes back, in milliseconds. 1.2 KiB.
 */
export class RecentLatency {
  readonly #percentile: number;
  #present = new Uint32Array(BUCKETS);
  #past = new Uint32Array(BUCKETS);
  #presentSamples = 0;
  #pastSamples = 0;
  #generation = -Infinity;
  #estimateMs = 0;
  #estimatedAtMs = -Infinity;

  /** `percentile` in (0, 1), e.g. 0.95. */
  constructor(percentile: number) {
    this.#percentile = percentile;
  }

  record(latencyMs: number, nowMs: number): void {
    this.#turn(nowMs);
    const index = bucketOf(latencyMs);
    this.#present[index] = this.#present[index]! + 1;
    this.#presentSamples++;
  }

  /**
   * For a try that was given up: it would have taken at least as long. Where that is less than
   * the percentile nothing is known; where it is more it belongs to the tail, and a tail that
   * is cut off by hedges must not be forgotten, or they would come sooner and sooner.
   */
  recordAtLeast(elapsedMs: number, nowMs: number): void {
    const percentileMs = this.percentileMs(nowMs);
    if (percentileMs !== undefined && elapsedMs >= percentileMs) this.record(elapsedMs, nowMs);
  }

  /** At most 9% too high, never too low for the samples there are; undefined while these are too few. */
  percentileMs(nowMs: number): number | undefined {
    this.#turn(nowMs);
    const samples = this.#presentSamples + this.#pastSamples;
    if (samples < MIN_SAMPLES) return undefined;
    if (nowMs - this.#estimatedAtMs >= ESTIMATE_MS) {
      this.#estimateMs = this.#boundAt(Math.ceil(samples * this.#percentile));
      this.#estimatedAtMs = nowMs;
    }
    return this.#estimateMs;
  }

  /** The upper bound of the bucket that holds the sample of this rank, 1 being the least. */
  #boundAt(rank: number): number {
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#present[index]! + this.#past[index]!;
      if (seen >= rank) return SMALLEST_MS * 2 ** (index / STEPS);
    }
    return Infinity;
  }

  #turn(nowMs: number): void {
    const generation = Math.floor(nowMs / GENERATION_MS);
    if (generation === this.#generation) return;
    const past = this.#past;
    this.#past = this.#present;
    this.#pastSamples = this.#presentSamples;
    this.#present = past.fill(0);
    this.#presentSamples = 0;
    if (generation > this.#generation + 1) {
      this.#past.fill(0);
      this.#pastSamples = 0;
    }
    this.#generation = generation;
    this.#estimatedAtMs = -Infinity;
  }
}

/** The bucket whose upper bound is the first that is not less. */
function bucketOf(latencyMs: number): number {
  if (latencyMs <= SMALLEST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(latencyMs / SMALLEST_MS) * STEPS));
}
