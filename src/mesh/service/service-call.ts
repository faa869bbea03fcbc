/** The tries of one call: choose, send, judge, and try again where that is allowed. */
import type { Duplex } from 'node:stream';
import type { PickHint } from '../balancing/policy.ts';
import type { Endpoint } from '../endpoint.ts';
import { backoffMs } from '../resilience/backoff.ts';
import { findRetryAfterMs } from '../resilience/retry-after.ts';
import {
  decideAfterAnswer,
  decideAfterFailure,
  isIdempotent,
  isRetriableStatus,
  type RetryContext,
  type RetryDecision,
} from '../resilience/retry-policy.ts';
import { ReplayableBody } from '../transport/replayable-body.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import type { UpstreamCall, UpstreamSink } from '../transport/upstream.ts';
import {
  circuitOpen,
  noHealthyEndpoint,
  type Call,
  type CallRequest,
  type CallSink,
  type TryHead,
} from './call.ts';
import { callTookTooLong, CallTimers, tryTookTooLong, type TimedCall } from './call-clock.ts';
import type { Service } from './service.ts';

const NONE_TRIED: readonly Endpoint[] = Object.freeze([]);

export class ServiceCall implements Call, UpstreamSink, PickHint, TimedCall {
  readonly #service: Service;
  readonly #request: CallRequest;
  readonly #sink: CallSink;
  readonly #startedAt: number;
  /** Stands before the body where a second try may have to send it again. */
  #body: ReplayableBody | undefined;
  #endpoint: Endpoint | undefined;
  #upstreamCall: UpstreamCall | undefined;
  #attempt = 0;
  #retries = 0;
  #raced = false;
  /** The reader asked for a pause that the next try must begin with. */
  #paused = false;
  /** The try at work is on a connection. */
  #sent = false;
  #answered = false;
  /** As the topology counts: see `Service.ended`. */
  #failed = false;
  #over = false;
  /** Endpoints already tried, for the balancer. */
  exclude: readonly Endpoint[] = NONE_TRIED;
  readonly hash: number | undefined;
  readonly pinned: Endpoint | undefined;
  readonly #timers = new CallTimers();
  /** As `TryOutcomes` counts. */
  #sentAtMs = 0;

  constructor(service: Service, request: CallRequest, sink: CallSink) {
    this.#service = service;
    this.#request = request;
    this.#sink = sink;
    this.hash = request.hash;
    this.pinned = request.pinned;
    this.#startedAt = service.environment.monotonic();
  }

  start(): void {
    const service = this.#service;
    if (service.isStopped || !service.breaker.tryAcquire()) {
      this.#over = true;
      service.ended(this.#startedAt, true);
      const refusal = service.isStopped ? noHealthyEndpoint : circuitOpen;
      this.#sink.onError(refusal(service.name));
      return;
    }
    service.budget.deposit();
    const { body, timeoutMs, retry, method } = this.#request;
    if (body !== undefined && (retry.attempts > 0 || isIdempotent(method))) {
      this.#body = new ReplayableBody(body);
    }
    this.#timers.startCall(this, timeoutMs);
    this.#try();
  }

  pause(): void {
    this.#paused = true;
    this.#upstreamCall?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#upstreamCall?.resume();
  }

  abort(): void {
    if (this.#over) return;
    this.#upstreamCall?.abort();
    if (this.#endpoint !== undefined && !this.#answered) {
      this.#service.outcomes.abandoned(this.#endpoint, this.#sentAtMs);
    }
    this.#body?.cancel();
    this.#finish();
  }

  expire(): void {
    this.#upstreamCall?.abort();
    if (this.#endpoint !== undefined && this.#sent && !this.#answered) {
      this.#service.outcomes.failed(this.#endpoint, 'timeout');
    }
    this.#fail(callTookTooLong(this.#answered));
  }

  expireTry(): void {
    this.#upstreamCall?.abort();
    this.onError(tryTookTooLong(this.#sent, this.#answered));
  }

  proceed(): void {
    if (!this.#over) this.#try();
  }

  onSent(): void {
    this.#sent = true;
  }

  onInformational(status: number, headers: string[]): void {
    this.#sink.onInformational(status, headers);
  }

  onHead(status: number, reason: string, headers: string[]): void {
    const outcome = this.#service.outcomes.answered(
      this.#endpoint!,
      this.#sentAtMs,
      status,
      headers,
    );
    if (isRetriableStatus(this.#request.retry, status) && this.#retriesAnswer(status, headers)) {
      return;
    }
    this.#answered = true;
    this.#failed = outcome >= 500;
    this.#body?.commit();
    this.#sink.onHead(status, reason, headers);
  }

  onData(chunk: Uint8Array): void {
    this.#sink.onData(chunk);
  }

  onEnd(trailers: string[] | undefined): void {
    // The answer may be whole before the request is: nobody wants the rest of it.
    this.#body?.cancel();
    this.#finish();
    this.#sink.onEnd(trailers);
  }

  onUpgrade(status: number, reason: string, headers: string[], socket: Duplex): void {
    // The tunnel is this request in flight, for as long as it lives: it takes over our place.
    const service = this.#service;
    const endpoint = this.#endpoint!;
    service.outcomes.answered(endpoint, this.#sentAtMs, status, headers);
    this.#endpoint = undefined;
    this.#over = true;
    this.#timers.clear();
    service.ended(this.#startedAt, false);
    socket.once('close', () => {
      endpoint.active--;
      service.release();
    });
    this.#sink.onUpgrade(status, reason, headers, socket);
  }

  onError(error: UpstreamError): void {
    if (error.failure === 'overflow') this.#service.breaker.notePendingOverflow();
    const decision = decideAfterFailure(this.#request.retry, error, this.#context(error.sent));
    // A connection closed as we wrote on it says nothing; if the endpoint died, the next try will.
    if (!decision.retry || decision.reason !== 'keep-alive-race') {
      this.#service.outcomes.failed(this.#endpoint!, error.failure);
    }
    if (!decision.retry || !this.#again(decision)) this.#fail(error);
  }

  #try(): void {
    const endpoint = this.#request.subset.pick(this);
    if (endpoint === undefined) {
      this.#fail(noHealthyEndpoint(this.#service.name));
      return;
    }
    this.#attempt++;
    this.#endpoint = endpoint;
    this.#sent = false;
    endpoint.active++;
    this.#sink.onTry(endpoint, this.#attempt);
    // Whoever is called may have given the call up.
    if (this.#over) return;
    let head: TryHead | Promise<TryHead>;
    try {
      head = this.#request.toTry(endpoint, this.#attempt);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (head instanceof Promise) this.#sendLater(head);
    else if (!this.#over) this.#send(head);
  }

  #sendLater(pending: Promise<TryHead>): void {
    pending.then(
      (head) => {
        if (!this.#over) this.#send(head);
      },
      (error: Error) => this.#fail(error),
    );
  }

  #send({ target, authority, headers }: TryHead): void {
    const { method, body, upgrade, expectContinue, perTryTimeoutMs } = this.#request;
    const timeouts = this.#request.timeouts ?? this.#service.timeouts;
    this.#timers.startTry(this, perTryTimeoutMs);
    this.#sentAtMs = this.#service.outcomes.start();
    const call = this.#service.send(
      this.#endpoint!,
      {
        method,
        target,
        authority,
        headers,
        body: this.#body === undefined ? body : this.#body.open(),
        upgrade,
        expectContinue,
        responseTimeoutMs: timeouts.responseMs,
        idleTimeoutMs: timeouts.idleMs,
        fresh: this.#raced,
      },
      this,
      this.#request.http2,
    );
    // The client's body may have been read meanwhile, and its reader have given the call up.
    if (this.#over) {
      call.abort();
      return;
    }
    this.#upstreamCall = call;
    if (this.#paused) call.pause();
  }

  /** Whether an answer that may be retried is given up for another try. */
  #retriesAnswer(status: number, headers: readonly string[]): boolean {
    const retryAfterMs = findRetryAfterMs(headers, this.#service.environment.now());
    const decision = decideAfterAnswer(
      this.#request.retry,
      { status, retryAfterMs },
      this.#context(true),
    );
    if (!decision.retry) return false;
    const call = this.#upstreamCall;
    if (!this.#again(decision)) return false;
    call?.abort();
    return true;
  }

  #context(sent: boolean): RetryContext {
    const { method, body, upgrade, timeoutMs } = this.#request;
    const { monotonic } = this.#service.environment;
    return {
      method,
      retries: this.#retries,
      raced: this.#raced,
      bodyReplayable: body === undefined || (this.#body?.replayable ?? false),
      // What was sent of an upgrade may be in the upstream's other protocol already.
      answerStarted: this.#answered || (upgrade !== undefined && sent),
      remainingMs: timeoutMs === 0 ? Infinity : timeoutMs - (monotonic() - this.#startedAt),
    };
  }

  /** Sets another try going, unless the budget forbids it. */
  #again({ reason, atLeastMs }: RetryDecision & { readonly retry: true }): boolean {
    const { budget, environment, name } = this.#service;
    const race = reason === 'keep-alive-race';
    if (!race && !budget.tryWithdraw()) return false;
    environment.onRetry(name, reason);
    if (race) this.#raced = true;
    else {
      this.#retries++;
      this.exclude = [...this.exclude, this.#endpoint!];
    }
    this.#leaveEndpoint();
    const waitMs = race ? 0 : Math.max(atLeastMs, backoffMs(this.#retries, environment.random));
    this.#timers.startWait(this, waitMs);
    return true;
  }

  #fail(error: Error): void {
    if (this.#over) return;
    // A caller whose own request broke off has itself to blame.
    this.#failed = !(error instanceof UpstreamError && error.failure === 'request-body');
    this.#body?.cancel();
    this.#finish();
    this.#sink.onError(error);
  }

  #leaveEndpoint(): void {
    this.#timers.clearTry();
    if (this.#endpoint !== undefined) this.#endpoint.active--;
    this.#endpoint = undefined;
    this.#upstreamCall = undefined;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveEndpoint();
    this.#timers.clear();
    this.#service.ended(this.#startedAt, this.#failed);
    this.#service.release();
  }
}
