/** Numbers for the tiers of candidates: a comparison of numbers is all that a search has time for. */
import type { HostedEntry } from './candidate.ts';
import { compareTiers, tierKeyOf } from './rank.ts';

interface Tier {
  readonly label: number;
  /** Any one of it. */
  readonly sample: HostedEntry;
}

/** Small integers to the engine, with room for a new one between any two. */
const HIGHEST = 2 ** 30 - 1;

/** Of all candidates of a table, or of more. Never changed: who adds to it makes another. */
export class Tiers {
  /** From the first to win to the last. */
  readonly #sorted: readonly Tier[];
  readonly #labels: ReadonlyMap<string, number>;

  constructor(sorted: readonly Tier[]) {
    this.#sorted = sorted;
    this.#labels = new Map(sorted.map(({ label, sample }) => [tierKeyOf(sample), label]));
  }

  /** `samples`: one of each tier, in any order. */
  static of(samples: readonly HostedEntry[]): Tiers {
    const room = HIGHEST / (samples.length + 1);
    const sorted = samples.toSorted(compareTiers);
    return new Tiers(sorted.map((sample, i) => ({ label: Math.floor(room * (i + 1)), sample })));
  }

  /** Undefined where there is no such tier. */
  labelOf(one: HostedEntry): number | undefined {
    return this.#labels.get(tierKeyOf(one));
  }

  /** With the tier of `one`, which has none here; undefined where there is no room for it. */
  with(one: HostedEntry): Tiers | undefined {
    const found = this.#sorted.findIndex(({ sample }) => compareTiers(one, sample) < 0);
    const at = found === -1 ? this.#sorted.length : found;
    const before = this.#sorted[at - 1]?.label ?? 0;
    const after = this.#sorted[at]?.label ?? HIGHEST;
    const label = Math.floor((before + after) / 2);
    if (label <= before) return undefined;
    return new Tiers(this.#sorted.toSpliced(at, 0, { label, sample: one }));
  }
}
