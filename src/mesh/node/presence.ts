/** Who is there: this node says so every few seconds, and hears of the others. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane, Json, Report } from '../backplane/backplane.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { GOODBYE_MS, heartbeatDelayMs, LEASE_MS } from '../backplane/timing.ts';

/** The descriptions of all nodes; one a node, under its id. */
export const NODES_SPACE = 'nodes';

export interface PresenceOptions {
  readonly backplane: Backplane;
  readonly nodeId: string;
  /** What others are told of this node, asked for each time. */
  readonly describe: () => Json;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

export interface Presence {
  /** Resolves when the first attempt has ended, well or not; it goes on trying. */
  start(): Promise<void>;
  /** Tells the others, if the store can be asked. */
  stop(): Promise<void>;
  /** Names in order, this node's among them. While the backplane is away, as last heard. */
  readonly nodes: readonly string[];
  /** What each of them says of itself. */
  readonly descriptions: readonly Json[];
}

export function createPresence(options: PresenceOptions): Presence {
  const { backplane, nodeId, describe, random, log, schedule = scheduleTimer } = options;
  let known: ReadonlyMap<string, Json> = new Map([[nodeId, describe()]]);
  let callOff = (): void => {};
  let beating: Promise<void> | undefined;
  let isStopped = false;

  async function say(): Promise<void> {
    await backplane.report(NODES_SPACE, nodeId, describe(), LEASE_MS);
    known = toDescriptions(await backplane.reports(NODES_SPACE)).set(nodeId, describe());
  }

  async function beat(): Promise<void> {
    beating = say().catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'the other nodes could not be told of this one');
    });
    await beating;
    if (!isStopped) callOff = schedule(heartbeatDelayMs(random), () => void beat());
  }

  return {
    start: beat,
    async stop() {
      isStopped = true;
      callOff();
      await beating;
      await backplane.report(NODES_SPACE, nodeId, null, GOODBYE_MS).catch(() => undefined);
    },
    get nodes() {
      return [...known.keys()].toSorted();
    },
    get descriptions() {
      return [...known.values()];
    },
  };
}

/** A node that has just said goodbye may still be listed: it left no description. */
function toDescriptions(reports: readonly Report[]): Map<string, Json> {
  const alive = reports.filter(({ value }) => value !== null);
  return new Map(alive.map(({ id, value }) => [id, value]));
}
