/** The power of two choices: draw two endpoints, take the one with less load. */
import type { Endpoint } from '../endpoint.ts';

/** Uniform over 0 … count − 1. */
function drawIndex(random: () => number, count: number): number {
  return Math.floor(random() * count);
}

/** The `index`-th endpoint of those that are not excluded. */
function nthWithout(
  endpoints: readonly Endpoint[],
  exclude: readonly Endpoint[],
  index: number,
): Endpoint | undefined {
  if (exclude.length === 0) return endpoints[index];
  let left = index;
  for (const endpoint of endpoints) {
    if (exclude.includes(endpoint)) continue;
    if (left === 0) return endpoint;
    left -= 1;
  }
  return undefined;
}

function countWithout(endpoints: readonly Endpoint[], exclude: readonly Endpoint[]): number {
  if (exclude.length === 0) return endpoints.length;
  let count = 0;
  for (const endpoint of endpoints) {
    if (!exclude.includes(endpoint)) count += 1;
  }
  return count;
}

/** Receives the two drawn, for explanation; the first wins. `second` is undefined where there is one alone. */
export type DrawnPair = (winner: Endpoint, second: Endpoint | undefined) => void;

/**
 * a = rand(n), b = rand(n − 1), b moved past a, so the two always differ and every pair is
 * as likely; the lower load wins, a on ties. Source: M. Mitzenmacher, "The Power of Two
 * Choices in Randomized Load Balancing"; drawn as in Finagle and tower.
 */
export function pickOfTwo(
  endpoints: readonly Endpoint[],
  exclude: readonly Endpoint[],
  random: () => number,
  loadOf: (endpoint: Endpoint) => number,
  onDrawn?: DrawnPair,
): Endpoint | undefined {
  const count = countWithout(endpoints, exclude);
  if (count === 0) return undefined;
  const a = count === 1 ? 0 : drawIndex(random, count);
  const first = nthWithout(endpoints, exclude, a) as Endpoint;
  if (count === 1) {
    onDrawn?.(first, undefined);
    return first;
  }
  let b = drawIndex(random, count - 1);
  if (b >= a) b += 1;
  const second = nthWithout(endpoints, exclude, b) as Endpoint;
  const winner = loadOf(first) <= loadOf(second) ? first : second;
  onDrawn?.(winner, winner === first ? second : first);
  return winner;
}
