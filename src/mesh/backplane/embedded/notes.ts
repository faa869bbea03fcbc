/** What vanishes by itself on the embedded backplane: reports and turns. Memory is enough for them. */
import type { Json, Report } from '../backplane.ts';

export class Notes {
  readonly #notes = new Map<
    string,
    Map<string, { readonly value: Json; readonly endMs: number }>
  >();
  readonly #monotonic: () => number;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  put(space: string, id: string, value: Json, leaseMs: number): void {
    let notes = this.#notes.get(space);
    if (notes === undefined) this.#notes.set(space, (notes = new Map()));
    notes.set(id, { value, endMs: this.#monotonic() + leaseMs });
  }

  list(space: string): readonly Report[] {
    const now = this.#monotonic();
    const notes = this.#notes.get(space) ?? new Map<string, never>();
    const reports: Report[] = [];
    for (const [id, { value, endMs }] of notes) {
      if (endMs <= now) notes.delete(id);
      else reports.push({ id, value });
    }
    return reports;
  }
}
