/** One call to a service: its tries, one after the other or a hedge beside, and the one answer out of them. */
import type { Duplex } from 'node:stream';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { Endpoint } from '../endpoint.ts';
import { backoffMs } from '../resilience/backoff.ts';
import { isHedgeable } from '../resilience/hedge-policy.ts';
import { findRetryAfterMs } from '../resilience/retry-after.ts';
import {
  decideAfterAnswer,
  decideAfterFailure,
  isIdempotent,
  isListedStatus,
  isRetriableStatus,
  type RetryContext,
  type RetryDecision,
} from '../resilience/retry-policy.ts';
import type { BodySource } from '../transport/body-source.ts';
import { ReplayableBody } from '../transport/replayable-body.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import {
  callTookTooLong,
  startTimeout,
  startWait,
  type Timed,
  type Waiting,
} from './call-clock.ts';
import {
  circuitOpen,
  noHealthyEndpoint,
  type Call,
  type CallRequest,
  type CallSink,
} from './call.ts';
import { Hedging, type HedgedCall } from './hedging.ts';
import { Try, type CallService } from './try.ts';

const NONE_TRIED: readonly Endpoint[] = Object.freeze([]);

export class ServiceCall implements Call, HedgedCall, Timed, Waiting {
  readonly service: CallService;
  readonly request: CallRequest;
  readonly sink: CallSink;
  isPaused = false;
  isRaced = false;
  /** Endpoints not to choose again, for the balancer. */
  exclude: readonly Endpoint[] = NONE_TRIED;
  readonly hash: number | undefined;
  readonly pinned: Endpoint | undefined;
  readonly #startedAt: number;
  /** Undefined: this call is not hedged. */
  readonly #hedging: Hedging | undefined;
  /** Stands before the body where a second try may have to send it again. */
  #body: ReplayableBody | undefined;
  /** Of the tries under way the oldest; there is one but in the wait before another. */
  #try: Try | undefined;
  /** The one that the sink was told of last. */
  #latest: Try | undefined;
  #attempt = 0;
  /** Retries and hedges; those for the keep-alive race not counted. */
  #retries = 0;
  #answered = false;
  /** See `Service.ended`. */
  #failed = false;
  #over = false;
  #timeout: NodeJS.Timeout | undefined;
  #wait: NodeJS.Timeout | undefined;

  constructor(service: CallService, request: CallRequest, sink: CallSink) {
    this.service = service;
    this.request = request;
    this.sink = sink;
    this.hash = request.hash;
    this.pinned = request.pinned;
    this.#startedAt = service.environment.monotonic();
    const { hedge } = request;
    if (hedge !== undefined && isHedgeable(request)) this.#hedging = new Hedging(this, hedge);
  }

  start(): void {
    const { service } = this;
    if (service.isStopped || !service.breaker.tryAcquire()) {
      this.#over = true;
      service.ended(this.#startedAt, true);
      const refusal = service.isStopped ? noHealthyEndpoint : circuitOpen;
      this.sink.onError(refusal(service.name));
      return;
    }
    service.budget.deposit(this.#startedAt);
    const { body, timeoutMs, retry, method } = this.request;
    if (body !== undefined && (retry.attempts > 0 || isIdempotent(method))) {
      this.#body = new ReplayableBody(body);
    }
    this.#timeout = startTimeout(this, timeoutMs);
    this.proceed();
  }

  pause(): void {
    this.isPaused = true;
    this.#try?.pause();
    this.#hedging?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.#try?.resume();
    this.#hedging?.resume();
  }

  abort(): void {
    if (this.#over) return;
    this.#hedging?.keepOnly(this.#try, this.#try);
    this.#try?.abandon();
    this.#body?.cancel();
    this.#finish();
  }

  /** The oldest try is to blame; a hedge may have had no time. */
  expire(): void {
    this.#hedging?.keepOnly(this.#try, this.#try);
    this.#try?.blame();
    this.#fail(callTookTooLong(this.#answered));
  }

  proceed(): void {
    const endpoint = this.request.subset.pick(this);
    if (endpoint === undefined) this.#fail(noHealthyEndpoint(this.service.name));
    else this.#begin((this.#try = new Try(this, endpoint)));
  }

  get isBodyWhole(): boolean {
    return this.#body?.isWhole ?? true;
  }

  get isBodyKept(): boolean {
    return this.#body?.replayable ?? true;
  }

  beginHedge(hedge: Try): void {
    this.#retries++;
    this.#begin(hedge);
  }

  skip(endpoint: Endpoint): void {
    if (!this.exclude.includes(endpoint)) this.exclude = [...this.exclude, endpoint];
  }

  openBody(): BodySource | undefined {
    return this.#body === undefined ? this.request.body : this.#body.open();
  }

  onTrySent(one: Try): void {
    this.#hedging?.onTrySent(one);
  }

  /** Of several tries the oldest may speak: a hint of one that loses would speak of no answer. */
  onTryInformational(one: Try, status: number, headers: string[]): void {
    if (one === this.#try) this.sink.onInformational(status, headers);
  }

  onTryHead(one: Try, status: number, reason: string, headers: HeaderFields): void {
    const { retry } = this.request;
    if (this.#hedging?.isUnderWay === true) {
      if (isListedStatus(retry, status) && this.#leaveToOthers(one)) {
        one.cancel();
        return;
      }
    } else if (isRetriableStatus(retry, status) && this.#retriesAnswer(one, status, headers)) {
      return;
    }
    this.#answered = true;
    this.#failed = one.hasFailed;
    this.#hedging?.keepOnly(one, this.#try);
    this.#try = one;
    this.#body?.commit();
    this.#settle();
    this.sink.onHead(status, reason, headers);
  }

  onTryEnd(trailers: string[] | undefined): void {
    // The answer may be whole before the request is: nobody wants the rest of it.
    this.#body?.cancel();
    this.#finish();
    this.sink.onEnd(trailers);
  }

  /** A tunnel takes over the call's place; upgrades are never hedged. */
  onTryUpgrade(_one: Try, status: number, reason: string, headers: string[], socket: Duplex): void {
    this.#over = true;
    this.#try = undefined;
    clearTimeout(this.#timeout);
    this.service.ended(this.#startedAt, false);
    this.sink.onUpgrade(status, reason, headers, socket);
  }

  onTryError(one: Try, error: UpstreamError): void {
    const { breaker, outcomes } = this.service;
    if (error.failure === 'overflow') breaker.notePendingOverflow();
    const decision = decideAfterFailure(this.request.retry, error, this.#context(error.sent));
    // A connection closed as we wrote on it says nothing; if the endpoint died, the next try will.
    if (!decision.retry || decision.reason !== 'keep-alive-race') {
      outcomes.failed(one.endpoint, error.failure, one.sentAtMs);
    }
    if (this.#leaveToOthers(one)) return;
    if (!decision.retry || !this.#again(one, decision)) this.#fail(error);
  }

  onTryUnmade(one: Try, error: Error): void {
    if (!this.#leaveToOthers(one)) this.#fail(error);
  }

  #begin(one: Try): void {
    this.#latest = one;
    // The first is made with the call: one look at the clock does for both.
    const sentAtMs = this.#attempt === 0 ? this.#startedAt : this.service.environment.monotonic();
    this.sink.onTry(one.endpoint, ++this.#attempt, sentAtMs);
    // Whoever is called may have given the call up.
    if (!this.#over) one.start(this.#attempt);
  }

  /** Whether an answer that may be retried is given up for another try. */
  #retriesAnswer(one: Try, status: number, headers: HeaderFields): boolean {
    const retryAfterMs = findRetryAfterMs(headers.raw, this.service.environment.now());
    const answer = { status, retryAfterMs };
    const decision = decideAfterAnswer(this.request.retry, answer, this.#context(true));
    if (!decision.retry || !this.#again(one, decision)) return false;
    one.cancel();
    return true;
  }

  #context(sent: boolean): RetryContext {
    const { method, body, upgrade, timeoutMs } = this.request;
    const { monotonic } = this.service.environment;
    return {
      method,
      retries: this.#retries,
      raced: this.isRaced,
      bodyReplayable: body === undefined || (this.#body?.replayable ?? false),
      // What was sent of an upgrade may be in the upstream's other protocol already.
      answerStarted: this.#answered || (upgrade !== undefined && sent),
      remainingMs: timeoutMs === 0 ? Infinity : timeoutMs - (monotonic() - this.#startedAt),
    };
  }

  /** Sets another try going in place of the only one, unless the budget forbids it. */
  #again(one: Try, { reason, atLeastMs }: RetryDecision & { readonly retry: true }): boolean {
    const { budget, environment, name } = this.service;
    const race = reason === 'keep-alive-race';
    if (!race && !budget.tryWithdraw()) return false;
    environment.onRetry(name, reason);
    if (race) this.isRaced = true;
    else {
      this.#retries++;
      this.skip(one.endpoint);
    }
    this.#hedging?.keepOnly(one, one);
    one.end();
    this.#try = undefined;
    const waitMs = race ? 0 : Math.max(atLeastMs, backoffMs(this.#retries, environment.random));
    this.#wait = startWait(this, waitMs);
    return true;
  }

  /** Lets a try that failed go where another is still under way, which then stands for the call. */
  #leaveToOthers(one: Try): boolean {
    const next = this.#hedging?.leave(one, this.#try!);
    if (next === undefined) return false;
    this.#try = next;
    return true;
  }

  /** Tells the sink who is speaking, where it is not the try that it was told of last. */
  #settle(): void {
    const one = this.#try;
    if (one === undefined || one === this.#latest) return;
    this.#latest = one;
    this.sink.onSettled?.(one.endpoint, one.sentAtMs);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    // A caller whose own request broke off has itself to blame.
    this.#failed = !(error instanceof UpstreamError && error.failure === 'request-body');
    this.#body?.cancel();
    this.#settle();
    this.#finish();
    this.sink.onError(error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#hedging?.keepOnly(this.#try, this.#try);
    this.#try?.end();
    this.#try = undefined;
    clearTimeout(this.#timeout);
    clearTimeout(this.#wait);
    this.service.ended(this.#startedAt, this.#failed);
    this.service.release();
  }
}
