/** The hedges of one call: when one is due, what it takes to send it, and those under way. */
import type { PickHint } from '../balancing/policy.ts';
import type { Endpoint } from '../endpoint.ts';
import { hedgeDelayMs, type HedgeRules } from '../resilience/hedge-policy.ts';
import { startWait, type Waiting } from './call-clock.ts';
import { Try, type TryOwner } from './try.ts';

export interface HedgedCall extends TryOwner, PickHint {
  /** All of the body, if there is one, is at hand for another try. */
  readonly isBodyWhole: boolean;
  /** What there is of the body is kept, so that it may yet be whole. */
  readonly isBodyKept: boolean;
  /** The endpoint is not to be chosen again. */
  skip(endpoint: Endpoint): void;
  /** A hedge joins the tries under way: it is to be told of, and to be started. */
  beginHedge(hedge: Try): void;
}

const NONE: readonly Try[] = Object.freeze([]);

/**
 * A call is a queue of tries under way: the oldest, which the call has, and the hedges, which
 * are here. Each hedge has a place of its own among the service's `maxRequests`, given back
 * when one of the tries ends while others go on.
 */
export class Hedging implements Waiting {
  readonly #call: HedgedCall;
  readonly #rules: HedgeRules;
  #hedges = NONE;
  #begun = 0;
  /** The endpoint of the youngest try. */
  #endpoint: Endpoint | undefined;
  #delay: NodeJS.Timeout | undefined;
  #delayMs = 0;

  constructor(call: HedgedCall, rules: HedgeRules) {
    this.#call = call;
    this.#rules = rules;
  }

  /** There are tries beside the oldest. */
  get isUnderWay(): boolean {
    return this.#hedges.length > 0;
  }

  pause(): void {
    for (const hedge of this.#hedges) hedge.pause();
  }

  resume(): void {
    for (const hedge of this.#hedges) hedge.resume();
  }

  /** The next hedge is due when this try, the youngest, is slower than its endpoint mostly is. */
  onTrySent({ endpoint, sentAtMs }: Try): void {
    if (this.#begun >= this.#rules.attempts) return;
    this.#endpoint = endpoint;
    const delayMs = hedgeDelayMs(this.#rules, endpoint.seen.recentLatency, sentAtMs);
    if (delayMs !== undefined) this.#wait(delayMs);
  }

  /** It is due: sends one, if all that it takes is there. */
  proceed(): void {
    const call = this.#call;
    const { service, request } = call;
    // A paused reader takes no answer, so a late one says nothing of the endpoint.
    if (call.isPaused) return;
    if (!call.isBodyWhole) {
      // What the upload has taken says nothing of the endpoint: it has its time once more.
      if (call.isBodyKept) this.#wait(this.#delayMs);
      return;
    }
    call.skip(this.#endpoint!);
    const endpoint = request.subset.pick(call);
    if (endpoint === undefined || call.exclude.includes(endpoint)) return;
    if (service.breaker.isFull || !service.budget.tryWithdraw()) return;
    service.breaker.tryAcquire();
    service.environment.onRetry(service.name, 'hedge');
    this.#begun++;
    const hedge = new Try(call, endpoint);
    this.#hedges = [...this.#hedges, hedge];
    call.beginHedge(hedge);
  }

  #wait(delayMs: number): void {
    this.#delayMs = delayMs;
    this.#delay = startWait(this, delayMs);
  }

  /**
   * A try that failed is let go, as long as there is another: the oldest of those left stands
   * for the call then, and is returned.
   */
  leave(one: Try, oldest: Try): Try | undefined {
    if (!this.isUnderWay) return undefined;
    const [next, ...hedges] = [oldest, ...this.#hedges].filter((other) => other !== one);
    this.#hedges = hedges;
    one.end();
    this.#call.service.release();
    return next;
  }

  /** Gives up all tries but this one, and begins no more beside it. */
  keepOnly(one: Try | undefined, oldest: Try | undefined): void {
    clearTimeout(this.#delay);
    if (!this.isUnderWay) return;
    const others = [oldest!, ...this.#hedges].filter((other) => other !== one);
    this.#hedges = NONE;
    for (const other of others) {
      other.abandon();
      this.#call.service.release();
    }
  }
}
