/** A latency histogram that a request pays one array write for. */

/** Upper bounds in seconds; what lies above falls into `+Inf`. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export class Histogram {
  /** A plain array: a route that is asked for the first time makes it, and a typed one costs more. */
  readonly #counts: number[] = Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0);
  #sum = 0;

  observe(seconds: number): void {
    let i = 0;
    while (i < LATENCY_BOUNDS.length && seconds > LATENCY_BOUNDS[i]!) i++;
    this.#counts[i]!++;
    this.#sum += seconds;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Cumulative counts, one for each bound and the total last, as Prometheus writes them. */
  cumulative(): number[] {
    let total = 0;
    return this.#counts.map((count) => (total += count));
  }
}
