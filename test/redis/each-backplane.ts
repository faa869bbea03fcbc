/** For what nodes share: the same tests on every kind of backplane. */
import { afterAll, beforeAll } from 'vitest';
import type { BackplanePair } from '../contracts/backplane-fixture.ts';
import { openEmbeddedPair, openRedisPair } from './open-backplane.ts';

/** For `describe.each`: what it is called, and how two nodes are put on it. */
export const EACH_BACKPLANE: readonly [name: string, open: () => Promise<BackplanePair>][] = [
  ['the embedded backplane', openEmbeddedPair],
  ['Redis', () => openRedisPair('single')],
];

/** Two nodes for all tests of the block it is called in; there once these have begun. */
export function usePair(open: () => Promise<BackplanePair>): Pick<BackplanePair, 'here' | 'there'> {
  let pair: BackplanePair;
  beforeAll(async () => {
    pair = await open();
  }, 60_000);
  afterAll(() => pair.close());
  return {
    get here() {
      return pair.here;
    },
    get there() {
      return pair.there;
    },
  };
}
