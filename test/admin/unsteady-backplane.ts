/** A backplane that can be away: then it answers nothing, and what it held is still there afterwards. */
import { BackplaneError } from '../../src/mesh/backplane/backplane-error.ts';
import type { Backplane } from '../../src/mesh/backplane/backplane.ts';

export interface UnsteadyBackplane {
  readonly port: Backplane;
  isAway: boolean;
}

export function toUnsteady(own: Backplane, stalenessMs = 5_000): UnsteadyBackplane {
  const ask = async <T>(run: () => Promise<T>): Promise<T> => {
    if (unsteady.isAway) throw new BackplaneError('unavailable', 'no answer');
    return run();
  };
  const unsteady: UnsteadyBackplane = {
    isAway: false,
    port: {
      ...own,
      change: (space, mutations) => ask(() => own.change(space, mutations)),
      read: (space) => ask(() => own.read(space)),
      report: (space, id, value, leaseMs) => ask(() => own.report(space, id, value, leaseMs)),
      reports: (space) => ask(() => own.reports(space)),
      status: () =>
        unsteady.isAway ? { connected: false, sinceMs: 0, stalenessMs } : own.status(),
    },
  };
  return unsteady;
}
