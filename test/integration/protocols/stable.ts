/** Waiting for a flow to come to rest, which no event tells. */
import { until } from '../gateway-fixture.ts';

/** A number once it has not changed for ten looks in a row. */
export function stable(read: () => number): Promise<number> {
  let last = -1;
  let rounds = 0;
  return until(() => {
    const now = read();
    rounds = now === last ? rounds + 1 : 0;
    last = now;
    return Promise.resolve(rounds === 10 ? now : undefined);
  });
}
