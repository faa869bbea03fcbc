/** Asking Redis on the way of a request: within a deadline, and not at all while it is known to be down. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { RedisBackplane } from '../backplane/redis/redis-backplane.ts';
import type { Schedule } from '../backplane/schedule.ts';
import { AnswerDeadlines, type Waiting } from './answer-deadlines.ts';
import { RedisWindows, type Ask, type Grant } from './redis-windows.ts';
import { StoreHealth } from './store-health.ts';

/** What limits need of the backplane. */
export type LimitsBackplane = Pick<RedisBackplane, 'client' | 'status' | 'onStatus'>;

interface SharedStoreOptions {
  readonly backplane: LimitsBackplane;
  readonly namespace: string;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly schedule: Schedule;
  readonly answerWithinMs: number;
}

/** What becomes of an ask. */
interface AskHandler {
  /** Also late, after `onFailure`: the points are charged by then. */
  onGrant(grant: Grant, sentAtMs: number): void;
  /** At most once: an error, or no answer in time. */
  onFailure(): void;
  /** Last, when nothing more will come. */
  onEnd?(): void;
}

/** Keys of a lane have one hash tag and so one master; enough lanes to spread over a cluster's masters. */
const CLUSTER_LANES = 64;

const PROBE: Ask = { wanted: 1, least: 1, limit: 1_000_000_000 };
const PROBE_WINDOW_MS = 1_000;

export class SharedStore {
  readonly deadlines: AnswerDeadlines;
  readonly #windows: RedisWindows;
  readonly #health: StoreHealth;
  readonly #namespace: string;
  readonly #monotonic: () => number;
  readonly #log: Log;
  readonly #lanes: number;
  readonly #stopListening: () => void;
  #asks = 0;

  constructor(options: SharedStoreOptions) {
    const { backplane, namespace, monotonic, random, log, schedule, answerWithinMs } = options;
    this.#namespace = namespace;
    this.#monotonic = monotonic;
    this.#log = log;
    this.#lanes = backplane.client.isCluster ? CLUSTER_LANES : 1;
    this.#windows = new RedisWindows(backplane.client);
    this.deadlines = new AnswerDeadlines(answerWithinMs);
    this.#health = new StoreHealth({
      lanes: this.#lanes,
      probe: (lane) => this.#probe(lane),
      schedule,
      monotonic,
      random,
      log,
    });
    const check = (): void => this.#health.connectionChanged(backplane.status().connected);
    this.#stopListening = backplane.onStatus(check);
    check();
  }

  /** How often Redis was asked. */
  get asks(): number {
    return this.#asks;
  }

  laneOf(key: string): number {
    return this.#lanes === 1 ? 0 : toHash(key) % this.#lanes;
  }

  keyOf(lane: number, limiter: string, key: string): string {
    return `${this.#namespace}:{limit:${lane}}:${limiter}:${key}`;
  }

  isUp(lane: number): boolean {
    return this.#health.isUp(lane);
  }

  ask(lane: number, key: string, windowMs: number, ask: Ask, handler: AskHandler): void {
    this.#asks++;
    const sentAtMs = this.#monotonic();
    const waiting: Waiting = {
      isSettled: false,
      onDue: () => {
        this.#health.failed(lane, 'no answer in time');
        handler.onFailure();
      },
    };
    this.#windows
      .ask(key, windowMs, ask)
      .then(
        (grant) => {
          waiting.isSettled = true;
          handler.onGrant(grant, sentAtMs);
        },
        (error: unknown) => {
          this.#health.failed(lane, error instanceof Error ? error.message : String(error));
          if (waiting.isSettled) return;
          waiting.isSettled = true;
          handler.onFailure();
        },
      )
      .then(() => handler.onEnd?.())
      // Nothing above throws; if it ever does, a limit must not end the process.
      .catch((error: unknown) => this.#log.error({ err: error }, 'a rate limit failed'));
    this.deadlines.add(waiting);
  }

  close(): void {
    this.#stopListening();
    this.#health.close();
    this.deadlines.close();
  }

  async #probe(lane: number): Promise<{ isInTime: boolean }> {
    const waiting: Waiting = { isSettled: false, onDue() {} };
    this.deadlines.add(waiting);
    try {
      await this.#windows.ask(this.keyOf(lane, 'probe', ''), PROBE_WINDOW_MS, PROBE);
      return { isInTime: !waiting.isSettled };
    } finally {
      waiting.isSettled = true;
    }
  }
}

/** FNV-1a, 32 bit. */
function toHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
