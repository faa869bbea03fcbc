/** A service in use: its endpoints as discovery tells of them, who gets the next request, and the connections. */
import { createBalancer, type Balancer, type BalancingRules } from '../balancing/balancer.ts';
import type { LoadSet, Where } from '../balancing/load-set.ts';
import { createStickySessions, type StickySessions } from '../balancing/sticky-sessions.ts';
import { reconcileEndpoints, type Endpoint } from '../endpoint.ts';
import type { EndpointSource } from '../discovery/endpoint-source.ts';
import {
  createCircuitBreaker,
  type CircuitBreaker,
  type CircuitThresholds,
} from '../resilience/circuit-breaker.ts';
import { createRetryBudget, type RetryBudget } from '../resilience/retry-budget.ts';
import type { RetryReason, RetryRules } from '../resilience/retry-policy.ts';
import { createUpstream } from '../transport/create-upstream.ts';
import type { SocketShare } from '../transport/socket-budget.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamRequest,
  UpstreamSink,
  UpstreamTarget,
  UpstreamTls,
} from '../transport/upstream.ts';
import type { Call, CallRequest, CallSink, TryTimeouts } from './call.ts';
import { EndpointHealth, type HealthEnvironment, type HealthOptions } from './endpoint-health.ts';
import { ServiceCall } from './service-call.ts';
import { TryOutcomes } from './try-outcomes.ts';

/** `auto`: plain, HTTP/2 for the calls that ask for it and HTTP/1.1 for the others. */
export type ServiceProtocol = UpstreamTarget['protocol'] | 'auto';

export interface ServiceOptions {
  readonly name: string;
  readonly protocol: ServiceProtocol;
  /** For `https` and `h2`. */
  readonly tls: UpstreamTls | undefined;
  readonly source: EndpointSource;
  readonly balancing: BalancingRules;
  /** Signs the tokens of sticky sessions; undefined: there are none. */
  readonly stickyKey: string | Uint8Array | undefined;
  readonly health: Omit<HealthOptions, 'service'>;
  readonly circuitBreaker: CircuitThresholds;
  readonly retry: RetryRules;
  readonly perTryTimeoutMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number };
  /** Milliseconds; 0 is none. */
  readonly timeouts: ServiceTimeouts;
}

export interface ServiceTimeouts extends TryTimeouts {
  readonly connectMs: number;
  /** How long an idle upstream connection is kept. */
  readonly keepAliveMs: number;
}

export interface ServiceEnvironment extends HealthEnvironment {
  readonly now: () => number;
  /** Where this node is. */
  readonly zone: string | undefined;
  readonly onRetry: (service: string, reason: RetryReason) => void;
  /** For the connections of all services together; undefined: no limit is known. */
  readonly sockets?: SocketShare | undefined;
}

/** How often the weight of an endpoint in slow start is looked at anew. */
const WARMING_STEP_MS = 500;

/** No request waits longer for the backplane, whatever has become of it. */
const MAX_FIRST_WAIT_MS = 20;

/** An answer's head may be as large as a request's. */
const MAX_ANSWER_HEAD_BYTES = 64 * 1024;

export class Service {
  readonly name: string;
  /** Every call goes over HTTP/2. */
  readonly http2: boolean;
  /** Both are spoken: a call goes over HTTP/2 if it says so. */
  readonly auto: boolean;
  readonly retry: RetryRules;
  readonly perTryTimeoutMs: number;
  readonly timeouts: ServiceTimeouts;
  readonly breaker: CircuitBreaker;
  readonly budget: RetryBudget;
  readonly environment: ServiceEnvironment;
  readonly outcomes: TryOutcomes;
  /** Undefined where there are none. */
  readonly sticky: StickySessions | undefined;
  readonly #health: EndpointHealth;
  readonly #options: ServiceOptions;
  readonly #balancer: Balancer;
  readonly #http1Upstreams = new Map<Endpoint, Upstream>();
  readonly #http2Upstreams = new Map<Endpoint, Upstream>();
  #known: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  #refresh: NodeJS.Immediate | undefined;
  #warming: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;
  /** Resolves when discovery has spoken for the first time. */
  readonly ready: Promise<void>;
  /** Discovery has spoken. */
  isDiscovered = false;
  #waitUntilMs = 0;
  #firstAnswer: Promise<undefined> | undefined;

  constructor(options: ServiceOptions, environment: ServiceEnvironment) {
    this.#options = options;
    this.environment = environment;
    this.name = options.name;
    this.http2 = options.protocol === 'h2c' || options.protocol === 'h2';
    this.auto = options.protocol === 'auto';
    this.retry = options.retry;
    this.perTryTimeoutMs = options.perTryTimeoutMs;
    this.timeouts = options.timeouts;
    this.breaker = createCircuitBreaker(options.circuitBreaker);
    this.budget = createRetryBudget({ ...options.budget, monotonic: environment.monotonic });
    const { balancing, stickyKey } = options;
    const { monotonic, random, now, zone } = environment;
    this.#balancer = createBalancer({ ...balancing, random, monotonic, zone });
    this.sticky = stickyKey === undefined ? undefined : createStickySessions(this.name, stickyKey);
    this.#health = new EndpointHealth(
      { service: this.name, ...options.health },
      environment,
      () => this.#balancer.endpoints,
      () => this.refresh(),
    );
    this.outcomes = new TryOutcomes({
      outliers: this.#health.outliers,
      latency: balancing.policy === 'peak-ewma',
      http2: this.http2 || this.auto,
      monotonic,
      now,
    });
    this.ready = new Promise((resolve) => (this.#known = resolve));
  }

  get endpoints(): readonly Endpoint[] {
    return this.#balancer.endpoints;
  }

  /**
   * For calls that come before discovery has spoken: resolves when it has, or when they have
   * waited long enough. Undefined where there is nothing to wait for any more.
   */
  get firstAnswer(): Promise<undefined> | undefined {
    if (this.isDiscovered) return undefined;
    const leftMs = this.#waitUntilMs - this.environment.monotonic();
    if (leftMs <= 0) return undefined;
    return (this.#firstAnswer ??= new Promise((resolve) => {
      const enough = (): void => {
        clearTimeout(timer);
        // Whatever the timer makes of fractions.
        this.#waitUntilMs = 0;
        resolve(undefined);
      };
      const timer = setTimeout(enough, leftMs);
      void this.ready.then(enough);
    }));
  }

  start(): void {
    this.#waitUntilMs = this.environment.monotonic() + MAX_FIRST_WAIT_MS;
    this.#health.start();
    this.#options.source.start((specs) => {
      const { endpoints, removed } = reconcileEndpoints(
        this.#balancer.endpoints,
        specs,
        this.environment.monotonic(),
        (endpoint) => this.#health.outlivesDiscovery(endpoint),
      );
      this.#use(endpoints, removed);
      this.isDiscovered = true;
      this.#known?.();
    });
  }

  /**
   * After a change of an endpoint's weight, draining, healthy or ejected. It takes effect
   * within this turn of the event loop, once for however many changes.
   */
  refresh(): void {
    if (this.isStopped) return;
    this.#refresh ??= setImmediate(() => {
      this.#refresh = undefined;
      const stays = (one: Endpoint): boolean => !one.gone || this.#health.outlivesDiscovery(one);
      const { endpoints } = this.#balancer;
      if (endpoints.every(stays)) this.#reweigh();
      else
        this.#use(
          endpoints.filter(stays),
          endpoints.filter((one) => !stays(one)),
        );
    });
  }

  #use(endpoints: readonly Endpoint[], removed: readonly Endpoint[]): void {
    this.#balancer.update(endpoints);
    this.sticky?.update(endpoints);
    if (!this.isStopped) this.#health.update(endpoints);
    for (const endpoint of removed) this.#leave(endpoint);
    this.#keepWarming();
  }

  #reweigh(): void {
    this.#balancer.refresh();
    this.#keepWarming();
  }

  /** Slow start goes by time, so somebody has to look at the clock while there is one. */
  #keepWarming(): void {
    clearTimeout(this.#warming);
    if (!this.#balancer.isWarming || this.isStopped) return;
    this.#warming = setTimeout(() => this.#reweigh(), WARMING_STEP_MS).unref();
  }

  /**
   * Takes no new calls; resolves when those in flight have ended and all is closed. Until then
   * they keep their connections, since one of them may be about to try again.
   */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#options.source.stop();
    this.#health.stop();
    clearImmediate(this.#refresh);
    clearTimeout(this.#warming);
    if (this.breaker.active > 0) {
      await new Promise<void>((resolve) => (this.#drained = resolve));
    }
    const upstreams = [...this.#http1Upstreams.values(), ...this.#http2Upstreams.values()];
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    this.#http1Upstreams.clear();
    this.#http2Upstreams.clear();
  }

  /** The endpoints that have this metadata, as a lasting handle for a target. */
  subset(where: Where): LoadSet {
    return this.#balancer.subset(where);
  }

  call(request: CallRequest, sink: CallSink): Call {
    const call = new ServiceCall(this, request, sink);
    call.start();
    return call;
  }

  /** For calls alone: gives back their place among `maxRequests`. */
  release(): void {
    this.breaker.release();
    if (this.breaker.active === 0) this.#drained?.();
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /**
   * Sends a try over the connections of an endpoint, which are made on its first. `wantsHttp2`
   * means something to a service that speaks both.
   */
  send(
    endpoint: Endpoint,
    request: UpstreamRequest,
    sink: UpstreamSink,
    wantsHttp2 = false,
  ): UpstreamCall {
    const http2 = this.http2 || (wantsHttp2 && this.auto);
    const upstreams = http2 ? this.#http2Upstreams : this.#http1Upstreams;
    const known = upstreams.get(endpoint);
    if (known !== undefined) return known.send(request, sink);
    const upstream = createUpstream(this.#targetOf(endpoint, http2), {
      connectTimeoutMs: this.timeouts.connectMs,
      keepAliveMs: this.timeouts.keepAliveMs,
      maxConnections: this.breaker.thresholds.maxConnections,
      maxPending: this.breaker.thresholds.maxPending,
      maxHeadBytes: MAX_ANSWER_HEAD_BYTES,
      sockets: this.environment.sockets,
    });
    const call = upstream.send(request, sink);
    // It may have left while the head of the try was made: then nobody else will close it.
    if (this.endpoints.includes(endpoint)) upstreams.set(endpoint, upstream);
    else void upstream.close();
    return call;
  }

  #targetOf({ spec }: Endpoint, http2: boolean): UpstreamTarget {
    const { tls } = this.#options;
    let { protocol } = this.#options;
    if (protocol === 'auto') protocol = http2 ? 'h2c' : 'http1';
    return { host: spec.host, port: spec.port, protocol, ...(tls !== undefined && { tls }) };
  }

  #leave(endpoint: Endpoint): void {
    for (const upstreams of [this.#http1Upstreams, this.#http2Upstreams]) {
      const upstream = upstreams.get(endpoint);
      upstreams.delete(endpoint);
      void upstream?.close();
    }
  }
}
