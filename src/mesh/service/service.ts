/** A service in use: its endpoints as discovery tells of them, who gets the next request, and the connections. */
import { createBalancer, type Balancer } from '../balancing/balancer.ts';
import type { LoadSet, Where } from '../balancing/load-set.ts';
import type { PolicyName } from '../balancing/policies.ts';
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
import type {
  Upstream,
  UpstreamCall,
  UpstreamRequest,
  UpstreamSink,
  UpstreamTarget,
  UpstreamTls,
} from '../transport/upstream.ts';
import type { Call, CallRequest, CallSink, TryTimeouts } from './call.ts';
import { ServiceCall } from './service-call.ts';

export interface ServiceOptions {
  readonly name: string;
  readonly protocol: UpstreamTarget['protocol'];
  /** For `https` and `h2`. */
  readonly tls: UpstreamTls | undefined;
  readonly source: EndpointSource;
  readonly policy: PolicyName;
  readonly circuitBreaker: CircuitThresholds;
  readonly retry: RetryRules;
  readonly perTryTimeoutMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number };
  /** Milliseconds; 0 is none. */
  readonly timeouts: ServiceTimeouts;
}

export interface ServiceTimeouts extends TryTimeouts {
  readonly connectMs: number;
  readonly keepAliveMs: number;
}

export interface ServiceEnvironment {
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly random: () => number;
  readonly onRetry: (service: string, reason: RetryReason) => void;
}

/** An answer's head may be as large as a request's. */
const MAX_ANSWER_HEAD_BYTES = 64 * 1024;

export class Service {
  readonly name: string;
  /** The upstream speaks HTTP/2. */
  readonly http2: boolean;
  readonly retry: RetryRules;
  readonly perTryTimeoutMs: number;
  readonly timeouts: ServiceTimeouts;
  readonly breaker: CircuitBreaker;
  readonly budget: RetryBudget;
  readonly environment: ServiceEnvironment;
  readonly #options: ServiceOptions;
  readonly #balancer: Balancer;
  readonly #upstreams = new Map<Endpoint, Upstream>();
  #known: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  #drained: (() => void) | undefined;
  /** Resolves when discovery has spoken for the first time. */
  readonly ready: Promise<void>;

  constructor(options: ServiceOptions, environment: ServiceEnvironment) {
    this.#options = options;
    this.environment = environment;
    this.name = options.name;
    this.http2 = options.protocol === 'h2c' || options.protocol === 'h2';
    this.retry = options.retry;
    this.perTryTimeoutMs = options.perTryTimeoutMs;
    this.timeouts = options.timeouts;
    this.breaker = createCircuitBreaker(options.circuitBreaker);
    this.budget = createRetryBudget({ ...options.budget, monotonic: environment.monotonic });
    this.#balancer = createBalancer({ policy: options.policy, random: environment.random });
    this.ready = new Promise((resolve) => (this.#known = resolve));
  }

  get endpoints(): readonly Endpoint[] {
    return this.#balancer.endpoints;
  }

  start(): void {
    this.#options.source.start((specs) => {
      const { endpoints, removed } = reconcileEndpoints(
        this.#balancer.endpoints,
        specs,
        this.environment.monotonic(),
      );
      this.#balancer.update(endpoints);
      for (const endpoint of removed) this.#leave(endpoint);
      this.#known?.();
    });
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
    if (this.breaker.active > 0) {
      await new Promise<void>((resolve) => (this.#drained = resolve));
    }
    await Promise.all([...this.#upstreams.values()].map((upstream) => upstream.close()));
    this.#upstreams.clear();
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

  /** Sends a try over the connections of an endpoint, which are made on its first. */
  send(endpoint: Endpoint, request: UpstreamRequest, sink: UpstreamSink): UpstreamCall {
    const known = this.#upstreams.get(endpoint);
    if (known !== undefined) return known.send(request, sink);
    const upstream = createUpstream(this.#targetOf(endpoint), {
      connectTimeoutMs: this.timeouts.connectMs,
      keepAliveMs: this.timeouts.keepAliveMs,
      maxConnections: this.breaker.thresholds.maxConnections,
      maxPending: this.breaker.thresholds.maxPending,
      maxHeadBytes: MAX_ANSWER_HEAD_BYTES,
    });
    const call = upstream.send(request, sink);
    // It may have left while the head of the try was made: then nobody else will close it.
    if (this.endpoints.includes(endpoint)) this.#upstreams.set(endpoint, upstream);
    else void upstream.close();
    return call;
  }

  #targetOf({ spec }: Endpoint): UpstreamTarget {
    const { protocol, tls } = this.#options;
    return { host: spec.host, port: spec.port, protocol, ...(tls !== undefined && { tls }) };
  }

  #leave(endpoint: Endpoint): void {
    const upstream = this.#upstreams.get(endpoint);
    this.#upstreams.delete(endpoint);
    void upstream?.close();
  }
}
