/** One of several by weighted lot: a route's targets (90/10), and the `random` policy's endpoints. */

export interface WeightedChoice<Item> {
  /** An item of weight 0 is never chosen; undefined where there is no other. */
  choose(random: () => number): Item | undefined;
}

/**
 * Prepares the choice once; choosing is a binary search and allocates nothing.
 * Lots, and not turns, because turns taken by several workers and nodes fall in step with
 * each other and with periodic traffic; the shares hold over time, not over any ten requests.
 *
 * @example
 * const targets = createWeightedChoice(route.to, (target) => target.weight);
 * const target = targets.choose(random);
 */
export function createWeightedChoice<Item>(
  items: readonly Item[],
  weightOf: (item: Item) => number,
): WeightedChoice<Item> {
  const chosen = items.filter((item) => weightOf(item) > 0);
  const ends = new Float64Array(chosen.length);
  let total = 0;
  for (const [index, item] of chosen.entries()) {
    total += weightOf(item);
    ends[index] = total;
  }
  return {
    choose(random) {
      if (chosen.length < 2) return chosen[0];
      const lot = random() * total;
      let low = 0;
      let high = chosen.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (lot < (ends[middle] as number)) high = middle;
        else low = middle + 1;
      }
      return chosen[low];
    },
  };
}
