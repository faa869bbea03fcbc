/** Tells the other nodes which version this one runs, and hears it from them. */
import { reasonOf } from '../../../mesh/backplane/backplane-error.ts';
import type { Backplane, Json, Report } from '../../../mesh/backplane/backplane.ts';
import { scheduleTimer, type Schedule } from '../../../mesh/backplane/schedule.ts';
import {
  GOODBYE_MS,
  heartbeatDelayMs,
  LEASE_MS,
  retryDelayMs,
} from '../../../mesh/backplane/timing.ts';
import { isObject } from '../../../mesh/backplane/json-object.ts';
import type { Log } from '../../../plugins/sdk/plugin-context.ts';

export interface RolledVersion {
  readonly version: number;
  readonly hash: string;
}

/** What a node says of a version: of the newest that it knows. */
export interface NodeVersion extends RolledVersion {
  readonly node: string;
  readonly state: 'applied' | 'refused';
  /** Why it was refused, a line for each error. */
  readonly reason?: string;
  /** ISO 8601, by the node's clock: since when it is so. */
  readonly at: string;
  /** What the node runs where it refused this one; absent: nothing yet. */
  readonly runs?: RolledVersion;
}

export interface RolloutOptions {
  readonly backplane: Backplane;
  /** Of this node alone, among all that share the backplane. */
  readonly nodeName: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

export interface Rollout {
  applied(version: RolledVersion): void;
  refused(version: RolledVersion, reason: string, runs: RolledVersion | undefined): void;
  /** The node's file is what it runs, or there is no version yet. */
  none(): void;
  /** Of all nodes that run shared versions, by name. Rejects with a `BackplaneError` in an outage. */
  nodes(): Promise<readonly NodeVersion[]>;
  /** Takes it back, if the backplane can be asked. */
  stop(): Promise<void>;
}

export const NODES_SPACE = 'config-nodes';
const MAX_REASON_CHARACTERS = 4_000;

export function createRollout(options: RolloutOptions): Rollout {
  const { backplane, nodeName, now, random, log, schedule = scheduleTimer } = options;
  let said: Json | undefined;
  let hasSaid = false;
  let callOff = (): void => {};
  let telling: Promise<void> | undefined;
  let isStale = false;
  let failures = 0;
  let isStopped = false;

  function say(value: Json | undefined): void {
    said = value;
    tellNow();
  }

  /** One at a time; what is said meanwhile is told after it. */
  function tellNow(): void {
    isStale = true;
    if (!isStopped) telling ??= tellAll();
  }

  async function tellAll(): Promise<void> {
    callOff();
    while (isStale) {
      isStale = false;
      await tell();
    }
    telling = undefined;
    if (isStopped || (said === undefined && !hasSaid)) return;
    callOff = schedule(
      failures === 0 ? heartbeatDelayMs(random) : retryDelayMs(failures, random),
      tellNow,
    );
  }

  async function tell(): Promise<void> {
    try {
      if (said !== undefined) {
        await backplane.report(NODES_SPACE, nodeName, said, LEASE_MS);
        hasSaid = true;
      } else if (hasSaid) {
        await backplane.report(NODES_SPACE, nodeName, null, GOODBYE_MS);
        hasSaid = false;
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures > 1) return;
      log.debug({ reason: reasonOf(error) }, 'which version this node runs could not be told');
    }
  }

  const at = (): string => new Date(now()).toISOString();

  return {
    applied: ({ version, hash }) => say({ version, hash, state: 'applied', at: at() }),
    refused({ version, hash }, reason, runs) {
      say({
        version,
        hash,
        state: 'refused',
        reason: clip(reason),
        at: at(),
        ...(runs !== undefined && { runs: { version: runs.version, hash: runs.hash } }),
      });
    },
    none: () => say(undefined),
    async nodes() {
      const reports = await backplane.reports(NODES_SPACE);
      const nodes = reports.flatMap((report) => parseReport(report) ?? []);
      return nodes.toSorted((a, b) => (a.node < b.node ? -1 : 1));
    },
    async stop() {
      isStopped = true;
      isStale = false;
      callOff();
      await telling;
      if (!hasSaid) return;
      await backplane.report(NODES_SPACE, nodeName, null, GOODBYE_MS).catch(() => undefined);
    },
  };
}

/** Undefined for what is none. */
function parseReport({ id, value }: Report): NodeVersion | undefined {
  if (!isObject(value)) return undefined;
  const { state, reason, at, runs } = value;
  const version = parseRolled(value);
  if (version === undefined || typeof at !== 'string') return undefined;
  if (state !== 'applied' && state !== 'refused') return undefined;
  const running = parseRolled(runs);
  return {
    node: id,
    ...version,
    state,
    ...(typeof reason === 'string' && { reason }),
    at,
    ...(running !== undefined && { runs: running }),
  };
}

function parseRolled(value: unknown): RolledVersion | undefined {
  if (!isObject(value)) return undefined;
  const { version, hash } = value;
  if (!Number.isSafeInteger(version) || typeof hash !== 'string') return undefined;
  return { version: version as number, hash };
}

function clip(reason: string): string {
  if (reason.length <= MAX_REASON_CHARACTERS) return reason;
  return `${reason.slice(0, MAX_REASON_CHARACTERS)}…`;
}
