/** Whether a failed try is tried again: the decision alone, from facts. */
import type { UpstreamErrorFacts, UpstreamFailure } from '../transport/upstream-error.ts';

/**
 * What a route or service may list under `retry.on`: a number is a status; `5xx` is any answer
 * of that class, but no missing one. `connect-failure` covers refused, unreachable, connect
 * timeout and TLS.
 */
export type RetryCondition =
  | 'connect-failure'
  | 'refused-stream'
  | 'reset'
  | 'timeout'
  | '5xx'
  | number;

/**
 * `reset` is in it for an endpoint that is killed: idempotent calls must not notice. A
 * timeout is not: it may repeat slow work.
 */
export const DEFAULT_RETRY_ON: readonly RetryCondition[] = [
  'connect-failure',
  'refused-stream',
  'reset',
  502,
  503,
  504,
];

/** A Retry-After above this is not waited for: the caller gets the answer instead. Milliseconds. */
const MAX_RETRY_AFTER_MS = 1_000;

/** `retry` of a route or service, ready to be asked. */
export interface RetryRules {
  /** Tries beside the first. */
  readonly attempts: number;
  readonly conditions: ReadonlySet<RetryCondition>;
}

/** Where the request stands when a try has failed. */
export interface RetryContext {
  readonly method: string;
  /** Made so far, hedges counted and those for the keep-alive race not. */
  readonly retries: number;
  /** A retry for the keep-alive race was made. */
  readonly raced: boolean;
  /** There is no body, nothing of it was read yet, or all that was read is still buffered. */
  readonly bodyReplayable: boolean;
  /** A byte of the answer went downstream. */
  readonly answerStarted: boolean;
  /** Of the route's timeout, in milliseconds; Infinity where there is none. */
  readonly remainingMs: number;
}

/** Label of `meshgate_retries_total`. */
export type RetryReason =
  | 'connect-failure'
  | 'refused-stream'
  | 'reset'
  | 'timeout'
  | 'status'
  | 'keep-alive-race'
  | 'hedge';

export type NoRetryReason =
  | 'answer-started'
  | 'attempts-exhausted'
  | 'body-not-replayable'
  | 'deadline'
  | 'not-idempotent'
  | 'not-listed'
  | 'retry-after-too-long';

export type RetryDecision =
  | {
      readonly retry: true;
      readonly reason: RetryReason;
      /** Wait at least this long, and the backoff; in milliseconds. Nothing at all for `keep-alive-race`. */
      readonly atLeastMs: number;
    }
  | { readonly retry: false; readonly reason: NoRetryReason };

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** The condition a failure comes under; undefined for what another try would not mend. */
const CONDITION_OF: Readonly<
  Record<UpstreamFailure, Exclude<RetryCondition, number | '5xx'> | undefined>
> = {
  connect: 'connect-failure',
  'connect-timeout': 'connect-failure',
  tls: 'connect-failure',
  'refused-stream': 'refused-stream',
  reset: 'reset',
  timeout: 'timeout',
  // Someone there speaks no HTTP: likely a wrong configuration, and maybe after the work was done.
  protocol: undefined,
  // Our own limit said no; a retry would only press on it.
  overflow: undefined,
  exhausted: undefined,
  'request-body': undefined,
};

/** `attempts` defaults to 1 and `on` to {@link DEFAULT_RETRY_ON}. */
export function createRetryRules(options: {
  readonly attempts?: number | undefined;
  readonly on?: readonly RetryCondition[] | undefined;
}): RetryRules {
  return {
    attempts: options.attempts ?? 1,
    conditions: new Set(options.on ?? DEFAULT_RETRY_ON),
  };
}

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** Whether a status is one of those that `on` lists, so that another answer would be better. */
export function isListedStatus({ conditions }: RetryRules, status: number): boolean {
  if (status < 400) return false;
  return conditions.has(status) || (status >= 500 && conditions.has('5xx'));
}

/** Asked of every answer, so it comes before all else: may this status be retried at all? */
export function isRetriableStatus(rules: RetryRules, status: number): boolean {
  return rules.attempts > 0 && isListedStatus(rules, status);
}

function refuse(reason: NoRetryReason): RetryDecision {
  return { retry: false, reason };
}

/** What forbids a retry whatever the rules say. */
function obstacle(context: RetryContext, repeatable: boolean): NoRetryReason | undefined {
  if (context.answerStarted) return 'answer-started';
  if (!repeatable) return 'not-idempotent';
  if (!context.bodyReplayable) return 'body-not-replayable';
  if (context.remainingMs <= 0) return 'deadline';
  return undefined;
}

/**
 * After a try that ended without an answer, or in the middle of one. An `UpstreamError`
 * fits as `error`. Repeatable is what is idempotent, or never left: not sent, or refused by HTTP/2
 * before processing (RFC 9113 §8.7).
 *
 * A reset on a reused connection before the answer is the keep-alive race (RFC 9112 §9.3.1): the
 * endpoint closed it as we wrote. It is retried once, whatever `on` and `attempts` say.
 */
export function decideAfterFailure(
  rules: RetryRules,
  error: { readonly failure: UpstreamFailure } & UpstreamErrorFacts,
  context: RetryContext,
): RetryDecision {
  const condition = CONDITION_OF[error.failure];
  if (condition === undefined) return refuse('not-listed');
  const unprocessed = !error.sent || condition === 'refused-stream';
  const hindrance = obstacle(context, unprocessed || isIdempotent(context.method));
  if (hindrance !== undefined) return refuse(hindrance);
  if (condition === 'reset' && error.reused && !error.answered && !context.raced) {
    return { retry: true, reason: 'keep-alive-race', atLeastMs: 0 };
  }
  const listed =
    rules.conditions.has(condition) ||
    // Lost before a byte was sent: as good as no connection.
    (condition === 'reset' && !error.sent && rules.conditions.has('connect-failure'));
  if (!listed) return refuse('not-listed');
  if (context.retries >= rules.attempts) return refuse('attempts-exhausted');
  return { retry: true, reason: condition, atLeastMs: 0 };
}

/**
 * After an answer whose head has come and is still held back. `retryAfterMs` as from
 * `parseRetryAfterMs`: it is waited for if short (1 s at most) and within the route's timeout.
 */
export function decideAfterAnswer(
  rules: RetryRules,
  answer: { readonly status: number; readonly retryAfterMs: number | undefined },
  context: RetryContext,
): RetryDecision {
  if (!isRetriableStatus(rules, answer.status)) return refuse('not-listed');
  const hindrance = obstacle(context, isIdempotent(context.method));
  if (hindrance !== undefined) return refuse(hindrance);
  if (context.retries >= rules.attempts) return refuse('attempts-exhausted');
  const atLeastMs = answer.retryAfterMs ?? 0;
  if (atLeastMs > MAX_RETRY_AFTER_MS || atLeastMs >= context.remainingMs) {
    return refuse('retry-after-too-long');
  }
  return { retry: true, reason: 'status', atLeastMs };
}
