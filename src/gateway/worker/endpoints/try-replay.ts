/** What workers saw of a service's endpoints, played to its outlier detection as if one process had seen it. */
import type { Schedule } from '../../../mesh/backplane/schedule.ts';
import type { Endpoint } from '../../../mesh/endpoint.ts';
import type { OutlierDetector } from '../../../mesh/health/outlier-detector.ts';
import {
  FAILURE_COLUMNS,
  GATEWAY_FAILURE,
  NO_ANSWER,
  TOTAL_COLUMNS,
  type SeenTries,
} from './endpoint-messages.ts';
import type { WorkerPart } from './worker-part.ts';

export interface TryReplayOptions {
  /** Undefined: nobody judges; the totals count all the same. */
  readonly outliers: OutlierDetector | undefined;
  readonly find: (ref: number) => Endpoint | undefined;
  /** All that follow the service now. */
  readonly parts: ReadonlySet<WorkerPart>;
  readonly monotonic: () => number;
  readonly schedule: Schedule;
}

export interface Report {
  readonly part: WorkerPart;
  readonly seen: SeenTries;
  /** Of the question that it answers; undefined: it was not asked for. */
  readonly round?: number | undefined;
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
export class TryReplay {
  readonly #options: TryReplayOptions;
  #held: Report[] | undefined;
  /** Whose failures are being held. */
  #holder: WorkerPart | undefined;
  readonly #awaited = new Set<WorkerPart>();
  /** Whose failures in a row began when the others were asked last about a beginning. */
  #begun: readonly Endpoint[] = [];
  #round = FIRST_ROUND;
  #askedAtMs = -Infinity;
  #callOff = (): void => {};

  constructor(options: TryReplayOptions) {
    this.#options = options;
  }

  hear(report: Report): void {
    if (this.#held !== undefined) this.#keep(this.#held, report);
    else if (!this.#holds(report)) this.#play(report);
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
    const failures = this.#failuresIn(report);
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

  /** No less than what there is in a row. */
  #failuresIn({ seen: { failures } }: Report): ReadonlyMap<Endpoint, number> {
    const counts = new Map<Endpoint, number>();
    for (let at = 0; at < failures.length; at += FAILURE_COLUMNS) {
      const endpoint = this.#options.find(failures[at]!);
      if (endpoint === undefined) continue;
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + failures[at + 3]!);
    }
    return counts;
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
    const between = this.#answersIn(others);
    for (const report of others) this.#play(report);
    for (const report of held) if (report.part === this.#holder) this.#play(report, between);
  }

  #answersIn(reports: readonly Report[]): Map<Endpoint, number> {
    const answers = new Map<Endpoint, number>();
    const add = (report: Report, ref: number, count: number): void => {
      const endpoint = this.#options.find(ref);
      if (endpoint === undefined || this.#isEarlier(report, endpoint)) return;
      answers.set(endpoint, (answers.get(endpoint) ?? 0) + count);
    };
    for (const report of reports) {
      const { failures, totals } = report.seen;
      for (let at = 0; at < failures.length; at += FAILURE_COLUMNS) {
        add(report, failures[at]!, failures[at + 1]!);
      }
      for (let at = 0; at < totals.length; at += TOTAL_COLUMNS) {
        add(report, totals[at]!, totals[at + 1]!);
      }
    }
    return answers;
  }

  /** Its answers were before the failures in a row. */
  #isEarlier({ round }: Report, endpoint: Endpoint): boolean {
    return round === FIRST_ROUND && this.#begun.includes(endpoint);
  }

  #play(report: Report, between: Map<Endpoint, number> = new Map()): void {
    this.#playFailures(report.seen.failures, between);
    this.#playTotals(report);
  }

  #playFailures(failures: Uint32Array, between: Map<Endpoint, number>): void {
    const { outliers, find } = this.#options;
    if (outliers === undefined) return;
    for (let at = 0; at < failures.length; at += FAILURE_COLUMNS) {
      const endpoint = find(failures[at]!);
      // What was still in flight when it left is nobody's business any more.
      if (endpoint === undefined) continue;
      const answers = failures[at + 1]!;
      const kind = failures[at + 2]!;
      if (answers > 0) outliers.onGoodAnswers(endpoint, answers);
      for (let left = failures[at + 3]!; left > 0; left--) {
        const others = between.get(endpoint) ?? 0;
        if (others > 0 && outliers.isNearEjection(endpoint, 1)) {
          between.set(endpoint, others - 1);
          outliers.onGoodAnswers(endpoint, 0);
        }
        if (kind === NO_ANSWER) outliers.onFailure(endpoint);
        else outliers.onAnswer(endpoint, kind === GATEWAY_FAILURE ? 503 : 500);
      }
    }
  }

  #playTotals(report: Report): void {
    const { part } = report;
    const { totals } = report.seen;
    const { outliers, find } = this.#options;
    for (let at = 0; at < totals.length; at += TOTAL_COLUMNS) {
      const ref = totals[at]!;
      const endpoint = find(ref);
      if (endpoint === undefined) continue;
      const answers = totals[at + 1]!;
      if (answers > 0) {
        if (this.#isEarlier(report, endpoint)) outliers?.onEarlierAnswers(endpoint, answers);
        else outliers?.onGoodAnswers(endpoint, answers);
      }
      const { seen } = endpoint;
      seen.tries += totals[at + 2]!;
      seen.failedTries += totals[at + 3]!;
      seen.timedAnswers += totals[at + 4]!;
      seen.answerMs += totals[at + 5]!;
      this.#setActive(part, ref, endpoint, totals[at + 6]!);
    }
  }

  #setActive(part: WorkerPart, ref: number, endpoint: Endpoint, active: number): void {
    // A worker may be gone whose last words were held.
    if (!this.#options.parts.has(part)) return;
    endpoint.active += active - (part.active.get(ref) ?? 0);
    if (active === 0) part.active.delete(ref);
    else part.active.set(ref, active);
  }
}
