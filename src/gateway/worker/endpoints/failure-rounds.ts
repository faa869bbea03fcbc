/** Before failures in a row put an endpoint aside, the workers that did not see them are asked. */
import type { Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Endpoint } from '../../../mesh/endpoint.ts';
import { TryReplay, type Report, type TryReplayOptions } from './try-replay.ts';
import type { WorkerPart } from './worker-part.ts';

export interface FailureRoundsOptions extends TryReplayOptions {
  readonly monotonic: () => number;
  readonly schedule: Schedule;
}

/** The question at the beginning of failures in a row; the others count from 1. */
const FIRST_ROUND = 0;
/** What workers saw within this time is as good as the present. */
const FRESH_MS = 20;
/** Failures that all come in one moment prove little while the others are not heard. */
const LISTEN_MS = 5;
/** A worker that does not answer is busy, or gone. */
const MAX_WAIT_MS = 25;

/**
 * Workers tell of failures at once, and of other answers four times a second. So failures that one
 * of them saw in a row may have had answers of others between them: an endpoint that fails the
 * calls of one client would be put aside though it serves all others.
 * Therefore the others are asked twice. When failures begin, what they have was before these, and
 * does not end the row; when the row would put the endpoint aside, what they have was in between,
 * and does. Until they have answered, all that is heard waits.
 */
export class FailureRounds {
  readonly #options: FailureRoundsOptions;
  readonly #replay: TryReplay;
  #held: Report[] | undefined;
  /** Whose failures are being held. */
  #holder: WorkerPart | undefined;
  readonly #awaited = new Set<WorkerPart>();
  /** Whose failures in a row began when the others were asked last about a beginning. */
  #begun: readonly Endpoint[] = [];
  #round = FIRST_ROUND;
  #askedAtMs = -Infinity;
  #callOff = (): void => {};

  constructor(options: FailureRoundsOptions) {
    this.#options = options;
    this.#replay = new TryReplay(options, (report, endpoint) => this.#isEarlier(report, endpoint));
  }

  hear(report: Report): void {
    if (this.#held !== undefined) this.#keep(this.#held, report);
    else if (!this.#holds(report)) this.#replay.play(report);
  }

  /** Nothing more will be heard of it. */
  leave(part: WorkerPart): void {
    if (this.#awaited.delete(part) && this.#awaited.size === 0) this.#settle();
  }

  stop(): void {
    this.#callOff();
    this.#held = undefined;
    this.#awaited.clear();
  }

  #keep(held: Report[], report: Report): void {
    held.push(report);
    if (report.round !== this.#round || report.round === FIRST_ROUND) return;
    if (this.#awaited.delete(report.part) && this.#awaited.size === 0) this.#settle();
  }

  /** Whether it must wait for what the others say. */
  #holds(report: Report): boolean {
    const { outliers, parts, monotonic } = this.#options;
    if (outliers === undefined || parts.size < 2) return false;
    const failures = this.#replay.failuresIn(report);
    if (failures.size === 0) return false;
    const nowMs = monotonic();
    const begun = failures.keys().filter(({ seen }) => seen.consecutive5xx === 0);
    const first = begun.toArray();
    if (first.length > 0 && nowMs - this.#askedAtMs > FRESH_MS) {
      this.#askedAtMs = nowMs;
      this.#begun = first;
      this.#ask(report.part, FIRST_ROUND);
    }
    if (!failures.entries().some(([one, count]) => outliers.isNearEjection(one, count))) {
      return false;
    }
    this.#held = [report];
    this.#holder = report.part;
    const waitMs = this.#askedAtMs + LISTEN_MS - nowMs;
    if (waitMs <= 0) this.#confirm();
    else this.#callOff = this.#options.schedule(Math.ceil(waitMs), () => this.#confirm());
    return true;
  }

  #confirm(): void {
    const { monotonic, schedule } = this.#options;
    this.#round++;
    this.#askedAtMs = monotonic();
    this.#callOff = schedule(MAX_WAIT_MS, () => this.#settle());
    for (const part of this.#options.parts) if (part !== this.#holder) this.#awaited.add(part);
    // All others may have gone meanwhile.
    if (this.#awaited.size === 0) this.#settle();
    else this.#ask(this.#holder, this.#round);
  }

  #ask(except: WorkerPart | undefined, round: number): void {
    for (const part of this.#options.parts) {
      if (part !== except) part.send({ kind: 'tell', id: part.id, round });
    }
  }

  /**
   * Nobody knows where among the failures the answers of the others were: first, to end the row
   * that there was, and then wherever the next one would be long enough.
   */
  #settle(): void {
    this.#callOff();
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#awaited.clear();
    const others = held.filter(({ part }) => part !== this.#holder);
    const between = this.#replay.answersIn(others);
    for (const report of others) this.#replay.play(report);
    for (const report of held) if (report.part === this.#holder) this.#replay.play(report, between);
  }

  /** Its answers were before the failures in a row. */
  #isEarlier({ round }: Report, endpoint: Endpoint): boolean {
    return round === FIRST_ROUND && this.#begun.includes(endpoint);
  }
}
