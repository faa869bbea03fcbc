/** Which lane the fixtures have their listeners use: the product's default, or what MESHGATE_TEST_LANE says. */
import type { LaneChoice } from '../../src/gateway/config/listener-config.ts';

export function testedLane(): LaneChoice {
  const lane = process.env['MESHGATE_TEST_LANE'] ?? 'auto';
  if (lane !== 'auto' && lane !== 'full') throw new Error(`MESHGATE_TEST_LANE: no lane ${lane}`);
  return lane;
}

interface Lane {
  readonly lane?: unknown;
}

/** Listeners of a configuration document, each with the lane under test unless it has its own. */
export function withTestedLane<T extends object>(listeners: readonly T[]): (T & Lane)[] {
  return listeners.map((listener) => ({ lane: testedLane(), ...listener }));
}
