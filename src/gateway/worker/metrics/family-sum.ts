/** One metric of several processes: their figures put together by its aggregator, as prom-client does it. */
import { SERIES_A_PIECE, type FamilyHead, type FamilyPart } from './metric-family.ts';

export class FamilySum {
  readonly head: FamilyHead;
  /** Where a series has its figures. */
  readonly #places = new Map<string, number>();
  readonly #values: number[] = [];
  /** How many have told of each; for averages alone. */
  readonly #tellers: number[] = [];

  constructor(head: FamilyHead) {
    this.head = head;
  }

  get series(): Iterable<string> {
    return this.#places.keys();
  }

  /** What one more process tells, or more of what it tells; each series once a process. */
  add({ series, values, width }: FamilyPart): void {
    // Of one name and of another shape: a worker of another version. The first decides.
    if (width !== this.head.width) return;
    for (let i = 0; i < series.length; i++) this.#addSeries(series[i]!, values, i * width);
  }

  /** Its figures, each by its index. */
  valuesOf(series: string): (i: number) => number {
    const at = this.#places.get(series)! * this.head.width;
    const isAverage = this.head.aggregator === 'average';
    const tellers = isAverage ? this.#tellers[at / this.head.width]! : 1;
    return (i) => this.#values[at + i]! / tellers;
  }

  /** The same without those series. */
  without(isGone: (series: string) => boolean): FamilySum {
    const kept = new FamilySum(this.head);
    const { width } = this.head;
    for (const series of this.#places.keys()) {
      if (isGone(series)) continue;
      const values = Float64Array.from({ length: width }, (_, i) => this.valuesOf(series)(i));
      kept.#addSeries(series, values, 0);
    }
    return kept;
  }

  /** As of one process, in pieces; not of averages. */
  *toParts(): Generator<FamilyPart> {
    const { width } = this.head;
    const all = [...this.#places];
    for (let from = 0; from < all.length; from += SERIES_A_PIECE) {
      const piece = all.slice(from, from + SERIES_A_PIECE);
      const values = new Float64Array(piece.length * width);
      for (const [i, [, place]] of piece.entries()) {
        for (let n = 0; n < width; n++) values[i * width + n] = this.#values[place * width + n]!;
      }
      yield { ...this.head, series: piece.map(([series]) => series), values };
    }
  }

  #addSeries(series: string, values: Float64Array, from: number): void {
    const { width, aggregator } = this.head;
    const place = this.#places.get(series);
    if (place === undefined) {
      this.#places.set(series, this.#values.length / width);
      for (let i = 0; i < width; i++) this.#values.push(values[from + i]!);
      if (aggregator === 'average') this.#tellers.push(1);
      return;
    }
    const to = place * width;
    if (aggregator === 'sum' || aggregator === 'average') {
      for (let i = 0; i < width; i++) this.#values[to + i]! += values[from + i]!;
      if (aggregator === 'average') this.#tellers[place]!++;
    } else if (aggregator === 'min') {
      this.#values[to] = Math.min(this.#values[to]!, values[from]!);
    } else if (aggregator === 'max') {
      this.#values[to] = Math.max(this.#values[to]!, values[from]!);
    }
  }
}
