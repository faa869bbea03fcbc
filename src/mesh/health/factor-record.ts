/** The factors of a service's endpoints as they stand in the backplane, for every node the same. */
import type { Json } from '../backplane/backplane.ts';
import { MIN_FACTOR, type WeightFactor } from './adaptive-weight.ts';

export function toFactorsValue(factors: ReadonlyMap<string, WeightFactor>): Json {
  return [...factors].map(([id, { factor, reason }]) => [id, factor, reason]);
}

/** Undefined for what is no list of factors; each is held within its bounds, whoever wrote it. */
export function parseFactors(value: unknown): ReadonlyMap<string, WeightFactor> | undefined {
  if (!Array.isArray(value)) return undefined;
  const factors = new Map<string, WeightFactor>();
  for (const row of value as readonly unknown[]) {
    if (!Array.isArray(row)) continue;
    const [id, factor, reason] = row as readonly unknown[];
    if (typeof id !== 'string' || typeof factor !== 'number' || !(factor < 1)) continue;
    factors.set(id, {
      factor: Math.max(MIN_FACTOR, factor),
      reason: typeof reason === 'string' ? reason : '',
    });
  }
  return factors;
}
