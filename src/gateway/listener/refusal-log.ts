/** Tells of connections that a listener turns away: once a streak, for a flood has no end of them. */
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';

/** A streak is over when nobody was turned away for so long. */
const STREAK_ENDS_AFTER_MS = 10_000;

export interface RefusalLog {
  /** `facts`: the listener's name, and which limit or error it was. */
  refused(facts: object): void;
}

export function createRefusalLog(log: Log, clock: Clock): RefusalLog {
  let lastMs = -Infinity;
  return {
    refused(facts) {
      const nowMs = clock.monotonic();
      const isNew = nowMs - lastMs > STREAK_ENDS_AFTER_MS;
      lastMs = nowMs;
      if (isNew) log.warn(facts, 'Connections are turned away; said once until it is over');
    },
  };
}
