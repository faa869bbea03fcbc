/** How much of the traffic each priority takes, and which of them panic: a pure rule of numbers. */

export interface PriorityHealth {
  readonly healthy: number;
  /** At least 1. */
  readonly total: number;
}

export interface PriorityLoad {
  /** Share of the traffic, 0 … 1; all shares together make 1. */
  readonly share: number;
  /** So few are healthy that all of them are used: spreading thin beats crushing the rest. */
  readonly panic: boolean;
}

/** A priority carries its whole share until fewer than 100/1.4 ≈ 71% of it are healthy. */
const OVERPROVISIONING = 1.4;
const PANIC_BELOW = 0.5;

/**
 * Priorities come in order, most preferred first; each takes what its health allows and the
 * next ones take the rest. A priority with fewer than half its endpoints healthy panics,
 * unless all together can still carry everything; if every one panics, traffic follows the
 * number of endpoints. Source: Envoy, "Priority levels" and "Panic threshold"; shares are
 * exact here, where Envoy rounds to whole percents.
 */
export function priorityLoads(priorities: readonly PriorityHealth[]): PriorityLoad[] {
  const capacities = priorities.map(({ healthy, total }) =>
    Math.min(1, (OVERPROVISIONING * healthy) / total),
  );
  const capacity = Math.min(
    1,
    capacities.reduce((sum, one) => sum + one, 0),
  );
  const panics = priorities.map(
    ({ healthy, total }) => capacity < 1 && healthy < PANIC_BELOW * total,
  );
  if (panics.every(Boolean)) {
    const everyone = priorities.reduce((sum, { total }) => sum + total, 0);
    return priorities.map(({ total }) => ({ share: total / everyone, panic: true }));
  }
  let left = 1;
  return capacities.map((one, index) => {
    const share = Math.min(left, one / capacity);
    left -= share;
    return { share, panic: panics[index] === true };
  });
}
