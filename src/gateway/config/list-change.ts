/** What leads from one list to another, where most of it is the same. */

/** From the first to the last item of a list: several that stood next to each other, or a new one. */
export type ListStep =
  | { readonly kind: 'kept'; readonly from: number; readonly count: number }
  | { readonly kind: 'new'; readonly at: number };

/** Items are the same where they are `===`; each is taken over once. What has moved is kept, too. */
export function* stepsBetween<Item>(
  before: readonly Item[],
  after: readonly Item[],
): Generator<ListStep> {
  const head = sameHead(before, after);
  const tail = sameTail(before, after, head);
  if (head > 0) yield { kind: 'kept', from: 0, count: head };
  const places = new Map<Item, number>();
  for (let i = head; i < before.length - tail; i++) places.set(before[i]!, i);
  let run: { from: number; count: number } | undefined;
  for (let at = head; at < after.length - tail; at++) {
    const from = places.get(after[at]!);
    if (run !== undefined && from === run.from + run.count) {
      places.delete(after[at]!);
      run.count++;
      continue;
    }
    if (run !== undefined) yield { kind: 'kept', ...run };
    run = undefined;
    if (from === undefined) yield { kind: 'new', at };
    else {
      places.delete(after[at]!);
      run = { from, count: 1 };
    }
  }
  if (run !== undefined) yield { kind: 'kept', ...run };
  if (tail > 0) yield { kind: 'kept', from: before.length - tail, count: tail };
}

// Functions of their own, which the engine compiles while they run.

function sameHead<Item>(before: readonly Item[], after: readonly Item[]): number {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  return head;
}

function sameTail<Item>(before: readonly Item[], after: readonly Item[], head: number): number {
  const most = Math.min(before.length, after.length) - head;
  let tail = 0;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return tail;
}
