/** Takes away what stopped giving heartbeats: carefully, since it is more often the store that was away. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane } from '../backplane/backplane.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { heartbeatDelayMs, LEASE_MS } from '../backplane/timing.ts';
import { spaceOfService } from './instance.ts';
import type { Registry } from './registry.ts';

/** Of a service's instances, in one pass. */
export const REAP_MAX_SHARE = 0.15;
/** Shorter than the shortest pause between two of one node's passes, so that there is always one. */
const TURN_MS = 3_900;

export interface ReaperOptions {
  readonly backplane: Backplane;
  readonly registry: Pick<Registry, 'services'>;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

export interface Reaper {
  start(): void;
  stop(): void;
  /** One pass over all services, unless it rests or another node is at it. Resolves to how many it took. */
  pass(): Promise<number>;
}

/**
 * Every node runs one, and they take turns. It rests for a lease after the store came back,
 * after anything it asked for failed (while Redis was paused or out of memory, heartbeats
 * failed as well), and after the beginning of an epoch, which the store itself sees to.
 */
export function createReaper(options: ReaperOptions): Reaper {
  const { backplane, registry, monotonic, random, log, schedule = scheduleTimer } = options;
  let restsUntilMs = -Infinity;
  /** A part of a cluster may be down while the others go on. */
  const servicesRestUntilMs = new Map<string, number>();
  let callOff = (): void => {};
  let isRunning = false;

  function isResting(): boolean {
    const { connected, sinceMs } = backplane.status();
    return !connected || monotonic() < Math.max(restsUntilMs, sinceMs + LEASE_MS);
  }

  async function tryToReap(service: string): Promise<number> {
    if (monotonic() < (servicesRestUntilMs.get(service) ?? -Infinity)) return 0;
    servicesRestUntilMs.delete(service);
    try {
      return await reap(service);
    } catch (error) {
      servicesRestUntilMs.set(service, monotonic() + LEASE_MS);
      log.debug({ service, reason: reasonOf(error) }, 'the reaper lets a service rest');
      return 0;
    }
  }

  async function reap(service: string): Promise<number> {
    const space = spaceOfService(service);
    const rules = { maxShare: REAP_MAX_SHARE, restMs: LEASE_MS };
    const taken = await backplane.expire(space, 'inst', rules);
    // Hints are many and small, and hold nobody up.
    await backplane.expire(space, 'hint', { maxShare: 1, restMs: LEASE_MS });
    if (taken.length > 0)
      log.warn({ service, instances: taken }, 'instances without heartbeat removed');
    return taken.length;
  }

  async function pass(): Promise<number> {
    if (isResting()) return 0;
    let count = 0;
    try {
      if (!(await backplane.takeTurn('reaper', TURN_MS))) return 0;
      for (const service of await registry.services()) {
        if (isResting()) break;
        count += await tryToReap(service);
      }
    } catch (error) {
      restsUntilMs = monotonic() + LEASE_MS;
      log.debug({ reason: reasonOf(error) }, 'the reaper rests, the backplane failed');
    }
    return count;
  }

  function passLater(): void {
    callOff = schedule(heartbeatDelayMs(random), () => void passAndGoOn());
  }

  async function passAndGoOn(): Promise<void> {
    await pass();
    if (isRunning) passLater();
  }

  return {
    pass,
    start() {
      if (isRunning) return;
      isRunning = true;
      passLater();
    },
    stop() {
      isRunning = false;
      callOff();
    },
  };
}
