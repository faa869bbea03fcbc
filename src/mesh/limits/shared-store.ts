/** Asking for points on the way of a request: within a deadline, and not at all while it is known to be down. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Schedule } from '../backplane/schedule.ts';
import { AnswerDeadlines, type Waiting } from './answer-deadlines.ts';
import type { Ask, Grant, LimitWindow, LimitWindows } from './limit-windows.ts';
import { StoreHealth } from './store-health.ts';

interface SharedStoreOptions {
  readonly windows: LimitWindows;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly schedule: Schedule;
  readonly answerWithinMs: number;
}

/** What becomes of an ask. */
export interface AskHandler {
  /** Also late, after `onFailure`: the points are charged by then. */
  onGrant(grant: Grant, sentAtMs: number): void;
  /** At most once: an error, or no answer in time. */
  onFailure(): void;
  /** Last, when nothing more will come. */
  onEnd?(): void;
}

/**
 * Milliseconds. What nobody waits for is asked together with what comes so soon after it: by the message
 * to ask costs both sides much more than by the question.
 */
export const GATHER_MS = 10;

interface Gathered {
  readonly window: LimitWindow;
  readonly ask: Ask;
  readonly handler: AskHandler;
}

const PROBE: Ask = { wanted: 1, least: 1, limit: 1_000_000_000 };
const PROBED = { limiter: 'probe', key: '', windowMs: 1_000 };

export class SharedStore {
  readonly deadlines: AnswerDeadlines;
  readonly #windows: LimitWindows;
  readonly #health: StoreHealth;
  readonly #monotonic: () => number;
  readonly #log: Log;
  readonly #schedule: Schedule;
  readonly #stopListening: () => void;
  #gathered: Gathered[] = [];
  #callOff: (() => void) | undefined;
  #asks = 0;

  constructor(options: SharedStoreOptions) {
    const { windows, monotonic, random, log, schedule, answerWithinMs } = options;
    this.#monotonic = monotonic;
    this.#log = log;
    this.#windows = windows;
    this.#schedule = schedule;
    this.deadlines = new AnswerDeadlines(answerWithinMs);
    this.#health = new StoreHealth({
      counter: windows.counter,
      lanes: windows.lanes,
      probe: (lane) => this.#probe(lane),
      schedule,
      monotonic,
      random,
      log,
    });
    const check = (): void => this.#health.connectionChanged(windows.isConnected);
    this.#stopListening = windows.onConnection(check);
    check();
  }

  /** How often it asked. */
  get asks(): number {
    return this.#asks;
  }

  laneOf(key: string): number {
    const { lanes } = this.#windows;
    return lanes === 1 ? 0 : toHash(key) % lanes;
  }

  isUp(lane: number): boolean {
    return this.#health.isUp(lane);
  }

  /** Asks soon, or as soon as somebody waits for it. */
  askAhead(window: LimitWindow, ask: Ask, handler: AskHandler): void {
    this.#gathered.push({ window, ask, handler });
    this.#callOff ??= this.#schedule(GATHER_MS, () => this.hurry());
  }

  /** Asks now for what was to be asked soon. */
  hurry(): void {
    if (this.#callOff === undefined) return;
    this.#callOff();
    this.#callOff = undefined;
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const { window, ask, handler } of gathered) this.#ask(window, ask, handler);
  }

  /** Asks now, and with it for what was to be asked soon. */
  ask(window: LimitWindow, ask: Ask, handler: AskHandler): void {
    this.#ask(window, ask, handler);
    this.hurry();
  }

  #ask(window: LimitWindow, ask: Ask, handler: AskHandler): void {
    const { lane } = window;
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
      .ask(window, ask)
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
    this.#callOff?.();
    this.#stopListening();
    this.#health.close();
    this.deadlines.close();
  }

  async #probe(lane: number): Promise<{ isInTime: boolean }> {
    const waiting: Waiting = { isSettled: false, onDue() {} };
    this.deadlines.add(waiting);
    try {
      await this.#windows.ask({ lane, ...PROBED }, PROBE);
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
