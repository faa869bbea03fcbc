/** What workers saw of a service's endpoints, played to its outlier detection as if one process had seen it. */
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
}

export interface Report {
  readonly part: WorkerPart;
  readonly seen: SeenTries;
  /** Of the question that it answers; undefined: it was not asked for. */
  readonly round?: number | undefined;
}

export class TryReplay {
  readonly #options: TryReplayOptions;
  readonly #isEarlier: (report: Report, endpoint: Endpoint) => boolean;

  /** `isEarlier`: a report's answers were before the endpoint's failures in a row, and do not end it. */
  constructor(
    options: TryReplayOptions,
    isEarlier: (report: Report, endpoint: Endpoint) => boolean,
  ) {
    this.#options = options;
    this.#isEarlier = isEarlier;
  }

  /** No less than what there is in a row. */
  failuresIn({ seen: { failures } }: Report): ReadonlyMap<Endpoint, number> {
    const counts = new Map<Endpoint, number>();
    for (let at = 0; at < failures.length; at += FAILURE_COLUMNS) {
      const endpoint = this.#options.find(failures[at]!);
      if (endpoint === undefined) continue;
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + failures[at + 3]!);
    }
    return counts;
  }

  /** By endpoint, those of the time in which failures in a row came. */
  answersIn(reports: readonly Report[]): Map<Endpoint, number> {
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

  /** `between`: answers of others, somewhere among its failures; those that end a row are used up. */
  play(report: Report, between: Map<Endpoint, number> = new Map()): void {
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
