/** What a worker saw of a service's endpoints and has not told: nothing here allocates on a try. */
import type { Endpoint } from '../../../mesh/endpoint.ts';
import type { TryListener } from '../../../mesh/service/following.ts';
import {
  FAILURE_COLUMNS,
  GATEWAY_FAILURE,
  NO_ANSWER,
  SERVER_ERROR,
  TOTAL_COLUMNS,
  type SeenTries,
} from './endpoint-messages.ts';
import type { Followed, FollowedEndpoints } from './followed-endpoints.ts';

/** Kept until the end of the turn; more are told at once. */
const MAX_FAILURE_ROWS = 256;
const NO_FAILURES = new Uint32Array(0);

export interface TryRecorderOptions {
  readonly endpoints: FollowedEndpoints;
  /** Somebody judges endpoints by failures in a row, so their order matters. */
  readonly isJudged: boolean;
  /** The first failure that is untold. */
  readonly onFailure: () => void;
  /** There is no room for another failure. */
  readonly onFull: () => void;
}

/**
 * Answers that are no failures only matter to failures of the same endpoint, so they are counted
 * and told with the next of these. Failures keep their order: who fails first is put aside first.
 */
export class TryRecorder implements TryListener {
  readonly #options: TryRecorderOptions;
  #rows = NO_FAILURES;
  /** Numbers in `#rows`. */
  #length = 0;
  #isTouched = false;
  /** As told; while there are some, they may end without anything else to tell. */
  #active = 0;

  constructor(options: TryRecorderOptions) {
    this.#options = options;
  }

  onAnswer(endpoint: Endpoint, status: number): void {
    this.#isTouched = true;
    if (status < 500) endpoint.seen.untoldAnswers++;
    else if (status === 502 || status === 503 || status === 504) {
      this.#failed(endpoint, GATEWAY_FAILURE);
    } else this.#failed(endpoint, SERVER_ERROR);
  }

  onFailure(endpoint: Endpoint): void {
    this.#isTouched = true;
    this.#failed(endpoint, NO_ANSWER);
  }

  /** All that is untold, which it takes for told; undefined where there is nothing. */
  take(id: number, isBusy: boolean): SeenTries | undefined {
    if (!this.#isTouched && this.#active === 0 && !isBusy) return undefined;
    this.#isTouched = false;
    const totals = this.#takeTotals();
    if (this.#length === 0 && totals.length === 0) return undefined;
    const failures = this.#length === 0 ? NO_FAILURES : this.#rows.slice(0, this.#length);
    this.#length = 0;
    return { id, failures, totals };
  }

  #failed(endpoint: Endpoint, kind: number): void {
    const { isJudged, onFailure, onFull } = this.#options;
    const { seen } = endpoint;
    const ref = seen.toldAs;
    // What was still in flight when it left the list is nobody's business any more.
    if (!isJudged || ref === 0) return;
    const answers = seen.untoldAnswers;
    seen.untoldAnswers = 0;
    if (this.#repeats(ref, answers, kind)) return;
    if (this.#rows === NO_FAILURES) {
      this.#rows = new Uint32Array(MAX_FAILURE_ROWS * FAILURE_COLUMNS);
    }
    if (this.#length === this.#rows.length) onFull();
    if (this.#length === 0) onFailure();
    this.#rows[this.#length++] = ref;
    this.#rows[this.#length++] = answers;
    this.#rows[this.#length++] = kind;
    this.#rows[this.#length++] = 1;
  }

  /** As the last one: it is counted there. */
  #repeats(ref: number, answers: number, kind: number): boolean {
    const last = this.#length - FAILURE_COLUMNS;
    if (last < 0 || answers > 0) return false;
    if (this.#rows[last] !== ref || this.#rows[last + 2] !== kind) return false;
    this.#rows[last + 3]!++;
    return true;
  }

  #takeTotals(): Float64Array {
    const { list } = this.#options.endpoints;
    const changed = list.filter(hasUntold);
    const totals = new Float64Array(changed.length * TOTAL_COLUMNS);
    let at = 0;
    for (const one of changed) {
      const { seen, active } = one.endpoint;
      totals[at++] = seen.toldAs;
      totals[at++] = seen.untoldAnswers;
      totals[at++] = seen.tries - one.tries;
      totals[at++] = seen.failedTries - one.failedTries;
      totals[at++] = seen.timedAnswers - one.timedAnswers;
      totals[at++] = seen.answerMs - one.answerMs;
      totals[at++] = active;
      seen.untoldAnswers = 0;
      one.tries = seen.tries;
      one.failedTries = seen.failedTries;
      one.timedAnswers = seen.timedAnswers;
      one.answerMs = seen.answerMs;
      one.active = active;
    }
    this.#active = 0;
    for (const { active } of list) this.#active += active;
    return totals;
  }
}

function hasUntold({ endpoint, tries, timedAnswers, active }: Followed): boolean {
  const { seen } = endpoint;
  return (
    seen.untoldAnswers > 0 ||
    seen.tries !== tries ||
    seen.timedAnswers !== timedAnswers ||
    endpoint.active !== active
  );
}
