/** The answers of an operation that are refusals, for its schema. */
import type { TSchema } from 'typebox';
import { Problem } from '../problem.ts';

export function refusals(...statuses: readonly number[]): Record<number, TSchema> {
  return Object.fromEntries(statuses.map((status) => [status, Problem]));
}
