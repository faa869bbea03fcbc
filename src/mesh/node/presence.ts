/** Who is there: this node says so every few seconds, and hears of the others. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane, Json, Report } from '../backplane/backplane.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { heartbeatDelayMs, LEASE_MS } from '../backplane/timing.ts';

/** The descriptions of all nodes; one a node, under its id. */
export const NODES_SPACE = 'nodes';

/** A node that fell silent is told of for so long: enough for somebody to look, and not for ever. */
const LOST_MS = 10 * 60_000;
const MAX_LOST = 100;

export interface PresenceOptions {
  readonly backplane: Backplane;
  readonly nodeId: string;
  /** What others are told of this node, asked for each time. */
  readonly describe: () => Json;
  readonly monotonic: () => number;
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
  /** Says it at once, where what it says has changed. */
  announce(): Promise<void>;
  /** Names in order, this node's among them. While the backplane is away, as last heard. */
  readonly nodes: readonly string[];
  /** What each of them says of itself. */
  readonly descriptions: readonly Json[];
  /** Names of those that fell silent in the last minutes and did not say goodbye, in order. */
  readonly lost: readonly string[];
}

export function createPresence(options: PresenceOptions): Presence {
  const { backplane, nodeId, describe, monotonic, random, log } = options;
  const { schedule = scheduleTimer } = options;
  let known: ReadonlyMap<string, Json> = new Map([[nodeId, describe()]]);
  /** Since when, in monotonic milliseconds; the longest ago first. */
  const lost = new Map<string, number>();
  let callOff = (): void => {};
  let beating: Promise<void> = Promise.resolve();
  let isStarted = false;
  let isStopped = false;

  async function say(): Promise<void> {
    if (isStopped) return;
    await backplane.report(NODES_SPACE, nodeId, describe(), LEASE_MS);
    const reports = await backplane.reports(NODES_SPACE);
    noteLost(new Set(reports.map(({ id }) => id)));
    known = toDescriptions(reports).set(nodeId, describe());
  }

  function noteLost(heard: ReadonlySet<string>): void {
    const nowMs = monotonic();
    for (const id of known.keys()) if (!heard.has(id) && id !== nodeId) lost.set(id, nowMs);
    for (const [id, sinceMs] of lost) {
      const isOver = nowMs - sinceMs >= LOST_MS || lost.size > MAX_LOST;
      if (heard.has(id) || isOver) lost.delete(id);
    }
  }

  async function beat(): Promise<void> {
    beating = beating.then(say).catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'the other nodes could not be told of this one');
    });
    await beating;
    // There is one plan, however many beats there were at once.
    callOff();
    if (!isStopped) callOff = schedule(heartbeatDelayMs(random), () => void beat());
  }

  return {
    async start() {
      isStarted = true;
      await beat();
    },
    async announce() {
      // The start says it anyway.
      if (isStarted) await beat();
    },
    async stop() {
      isStopped = true;
      callOff();
      await beating;
      // As long as a lease: every other node hears it, and takes the silence for what it is.
      await backplane.report(NODES_SPACE, nodeId, null, LEASE_MS).catch(() => undefined);
    },
    get nodes() {
      return [...known.keys()].toSorted();
    },
    get descriptions() {
      return [...known.values()];
    },
    get lost() {
      return [...lost.keys()].toSorted();
    },
  };
}

/** A node that has said goodbye may still be listed: it left no description. */
function toDescriptions(reports: readonly Report[]): Map<string, Json> {
  const alive = reports.filter(({ value }) => value !== null);
  return new Map(alive.map(({ id, value }) => [id, value]));
}
