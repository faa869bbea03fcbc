/** What nodes share about health: checks done by one for all, ejections that a quorum sees, weights that follow traffic. */
import { randomBytes } from 'node:crypto';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane } from '../backplane/backplane.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import type { Endpoint } from '../endpoint.ts';
import { LocalWeights } from './local-weights.ts';
import { healthSpaceOf, ServiceShare } from './service-share.ts';
import type { SharedService } from './shared-service.ts';
import type { FactorView } from './weight-board.ts';

export interface HealthSharingOptions {
  readonly backplane: Backplane;
  readonly nodeId: string;
  /** Names of the nodes that are alive, as last heard, this one's among them. */
  readonly liveNodes: () => readonly string[];
  /** Those in use now. */
  readonly services: () => Iterable<SharedService>;
  readonly monotonic: () => number;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
  /** Hears each change of a factor on this node. */
  readonly onFactorChange?: ((service: string, view: FactorView) => void) | undefined;
}

export interface HealthSharing {
  start(): void;
  /** Takes back what this node said, where the backplane can be asked. */
  stop(): Promise<void>;
  /** To be called when `services` changed; otherwise that is noticed within a second. */
  update(): void;
  /** For `ServiceEnvironment.isOwnCheck`. */
  isOwnCheck(service: string, endpoint: Endpoint): boolean;
  /** Endpoints of a service that do not get all of their weight, and why. */
  factors(service: string): readonly FactorView[];
}

const LOOK_MS = 1_000;

export function createHealthSharing(options: HealthSharingOptions): HealthSharing {
  const { services, log, schedule = scheduleTimer } = options;
  const environment = {
    ...options,
    schedule,
    owner: randomBytes(12).toString('base64url'),
    onFactorChange(service: string, view: FactorView) {
      log.debug({ service, ...view }, 'an endpoint gets another part of its weight');
      options.onFactorChange?.(service, view);
    },
  };
  const shares = new Map<SharedService, ServiceShare | LocalWeights>();
  const byName = new Map<string, ServiceShare | LocalWeights>();
  let callOff = (): void => {};

  function toShare(service: SharedService): ServiceShare | LocalWeights | undefined {
    const { sharedAs, adaptiveWeights } = service;
    const space = sharedAs === undefined ? undefined : healthSpaceOf(sharedAs);
    if (space !== undefined) return new ServiceShare(service, space, environment);
    return adaptiveWeights ? new LocalWeights(service, environment) : undefined;
  }

  function update(): void {
    const leaving = new Map(shares);
    for (const service of services()) {
      if (service.isStopped || leaving.delete(service)) continue;
      const share = toShare(service);
      if (share === undefined) continue;
      shares.set(service, share);
      byName.set(service.name, share);
      share.start();
    }
    for (const [service, share] of leaving) {
      shares.delete(service);
      // A service of the same name that took its place goes on with its records.
      const isReplaced = byName.get(service.name) !== share;
      if (!isReplaced) byName.delete(service.name);
      void share.stop(!isReplaced);
    }
  }

  function look(): void {
    update();
    callOff = schedule(LOOK_MS, look);
  }

  return {
    start: look,
    async stop() {
      callOff();
      await Promise.all([...shares.values()].map((share) => share.stop(true)));
      shares.clear();
      byName.clear();
    },
    update,
    isOwnCheck: (service, endpoint) => byName.get(service)?.isOwnCheck(endpoint) ?? true,
    factors: (service) => byName.get(service)?.factors ?? [],
  };
}
