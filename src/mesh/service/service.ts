/** A service in use: its endpoints as discovery tells of them, who gets the next request, and the connections. */
import { createBalancer, type Balancer } from '../balancing/balancer.ts';
import type { LoadSet, Where } from '../balancing/load-set.ts';
import { createStickySessions, type StickySessions } from '../balancing/sticky-sessions.ts';
import { reconcileEndpoints, type Endpoint } from '../endpoint.ts';
import { createCircuitBreaker, type CircuitBreaker } from '../resilience/circuit-breaker.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import { createRetryBudget, type RetryBudget } from '../resilience/retry-budget.ts';
import type { RetryReason, RetryRules } from '../resilience/retry-policy.ts';
import type { SocketShare } from '../transport/socket-budget.ts';
import type { UpstreamCall, UpstreamRequest, UpstreamSink } from '../transport/upstream.ts';
import type { EdgeRecorder } from '../topology/recorder.ts';
import type { Call, CallRequest, CallSink } from './call.ts';
import { EndpointHealth, type HealthEnvironment } from './endpoint-health.ts';
import { EndpointUpstreams } from './endpoint-upstreams.ts';
import { FirstAnswer } from './first-answer.ts';
import { ServiceCall } from './service-call.ts';
import type { ServiceOptions, ServiceTimeouts } from './service-options.ts';
import { TryOutcomes } from './try-outcomes.ts';

export interface ServiceEnvironment extends HealthEnvironment {
  readonly now: () => number;
  /** Where this node is. */
  readonly zone: string | undefined;
  readonly onRetry: (service: string, reason: RetryReason) => void;
  /** Who counts the calls to a service for the mesh's topology; default: nobody does. */
  readonly edgeTo?: ((destination: string) => EdgeRecorder) | undefined;
  /** For the connections of all services together; undefined: no limit is known. */
  readonly sockets?: SocketShare | undefined;
}

/** Of a service that follows: who tells it of its endpoints judges them. */
const NO_HEALTH = { checks: undefined, outliers: undefined } as const;

/** How often the weight of an endpoint in slow start is looked at anew. */
const WARMING_STEP_MS = 500;

export class Service {
  readonly name: string;
  /** Every call goes over HTTP/2. */
  readonly http2: boolean;
  /** Both are spoken: a call goes over HTTP/2 if it says so. */
  readonly auto: boolean;
  readonly retry: RetryRules;
  readonly hedge: HedgeRules | undefined;
  readonly perTryTimeoutMs: number;
  readonly timeouts: ServiceTimeouts;
  readonly breaker: CircuitBreaker;
  readonly budget: RetryBudget;
  readonly environment: ServiceEnvironment;
  readonly outcomes: TryOutcomes;
  /** Undefined where there are none. */
  readonly sticky: StickySessions | undefined;
  readonly health: EndpointHealth;
  readonly sharedAs: string | undefined;
  readonly adaptiveWeights: boolean;
  readonly #edge: EdgeRecorder | undefined;
  readonly #options: ServiceOptions;
  readonly #balancer: Balancer;
  readonly #upstreams: EndpointUpstreams;
  readonly #first: FirstAnswer;
  readonly #listeners = new Set<() => void>();
  #stopped: Promise<void> | undefined;
  #refresh: NodeJS.Immediate | undefined;
  #warming: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;

  constructor(options: ServiceOptions, environment: ServiceEnvironment) {
    this.#options = options;
    this.environment = environment;
    this.name = options.name;
    this.http2 = options.protocol === 'h2c' || options.protocol === 'h2';
    this.auto = options.protocol === 'auto';
    this.sharedAs = options.sharedAs;
    this.adaptiveWeights = options.adaptiveWeights ?? false;
    this.retry = options.retry;
    this.hedge = options.hedge;
    this.perTryTimeoutMs = options.perTryTimeoutMs;
    this.timeouts = options.timeouts;
    const { topologyName } = options;
    if (topologyName !== undefined) this.#edge = environment.edgeTo?.(topologyName);
    this.breaker = createCircuitBreaker(options.circuitBreaker);
    this.#upstreams = new EndpointUpstreams({
      protocol: options.protocol,
      tls: options.tls,
      connectTimeoutMs: options.timeouts.connectMs,
      keepAliveMs: options.timeouts.keepAliveMs,
      thresholds: this.breaker.thresholds,
      sockets: environment.sockets,
      isInUse: (endpoint) => this.endpoints.includes(endpoint),
    });
    this.budget = createRetryBudget({ ...options.budget, monotonic: environment.monotonic });
    const { balancing, stickyKey } = options;
    const { monotonic, random, now, zone } = environment;
    this.#balancer = createBalancer({ ...balancing, random, monotonic, zone });
    this.sticky = stickyKey === undefined ? undefined : createStickySessions(this.name, stickyKey);
    this.health = new EndpointHealth(
      { service: this.name, ...(options.following === undefined ? options.health : NO_HEALTH) },
      environment,
      () => this.#balancer.endpoints,
      () => this.refresh(),
    );
    this.outcomes = new TryOutcomes({
      outliers: options.following?.tries ?? this.health.outliers,
      latency: balancing.policy === 'peak-ewma',
      hedge: options.hedge,
      timed: this.adaptiveWeights,
      http2: this.http2 || this.auto,
      monotonic,
      now,
    });
    this.#first = new FirstAnswer(monotonic);
  }

  get endpoints(): readonly Endpoint[] {
    return this.#balancer.endpoints;
  }

  /** Resolves when discovery has spoken for the first time. */
  get ready(): Promise<void> {
    return this.#first.ready;
  }

  /** Discovery has spoken. */
  get isDiscovered(): boolean {
    return this.#first.isKnown;
  }

  /** For calls that come before discovery has spoken; see `FirstAnswer.wait`. */
  get firstAnswer(): Promise<undefined> | undefined {
    return this.#first.wait;
  }

  /** Hears each change of the endpoints, or of what is said of them; returns how to stop that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#first.start();
    this.health.start();
    const { source, following } = this.#options;
    if (following !== undefined) {
      following.start({
        use: (endpoints, removed) => this.#discovered(endpoints, removed),
        reweigh: () => this.#reweigh(),
        isBusy: () => this.breaker.active > 0,
      });
      return;
    }
    source?.start((specs) => {
      const { endpoints, removed } = reconcileEndpoints(
        this.#balancer.endpoints,
        specs,
        this.environment.monotonic(),
        (endpoint) => this.health.outlivesDiscovery(endpoint),
      );
      this.#discovered(endpoints, removed);
    });
  }

  #discovered(endpoints: readonly Endpoint[], removed: readonly Endpoint[]): void {
    this.#use(endpoints, removed);
    this.#first.known();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /**
   * After a change of an endpoint's weight, draining, healthy or ejected. It takes effect
   * within this turn of the event loop, once for however many changes.
   */
  refresh(): void {
    if (this.isStopped) return;
    this.#refresh ??= setImmediate(() => {
      this.#refresh = undefined;
      const stays = (one: Endpoint): boolean => !one.gone || this.health.outlivesDiscovery(one);
      const { endpoints } = this.#balancer;
      if (endpoints.every(stays)) this.#reweigh();
      else
        this.#use(
          endpoints.filter(stays),
          endpoints.filter((one) => !stays(one)),
        );
      this.#tell();
    });
  }

  #use(endpoints: readonly Endpoint[], removed: readonly Endpoint[]): void {
    this.#balancer.update(endpoints);
    this.sticky?.update(endpoints);
    if (!this.isStopped) this.health.update(endpoints);
    for (const endpoint of removed) this.#upstreams.leave(endpoint);
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
    (this.#options.following ?? this.#options.source)?.stop();
    this.health.stop();
    clearImmediate(this.#refresh);
    clearTimeout(this.#warming);
    if (this.breaker.active > 0) {
      await new Promise<void>((resolve) => (this.#drained = resolve));
    }
    await this.#upstreams.close();
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

  /**
   * For calls alone, each once: it is over with all its tries, or became a tunnel. `failed` for a
   * 5xx, or where there was no whole answer though the caller waited for it.
   */
  ended(startedAtMs: number, failed: boolean): void {
    this.#edge?.record(this.environment.monotonic() - startedAtMs, failed);
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
    return this.#upstreams.send(endpoint, http2, request, sink);
  }
}
