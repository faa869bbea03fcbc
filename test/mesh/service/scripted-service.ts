/** A service whose endpoints a test plays by hand, on vitest's fake clock: what calls do, without sockets. */
import { vi } from 'vitest';
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import { createLoadSet } from '../../../src/mesh/balancing/load-set.ts';
import { createRoundRobin } from '../../../src/mesh/balancing/round-robin.ts';
import { createEndpoint, type Endpoint } from '../../../src/mesh/endpoint.ts';
import { OutlierDetector } from '../../../src/mesh/health/outlier-detector.ts';
import { createCircuitBreaker } from '../../../src/mesh/resilience/circuit-breaker.ts';
import type { HedgeRules } from '../../../src/mesh/resilience/hedge-policy.ts';
import { RecentLatency } from '../../../src/mesh/resilience/recent-latency.ts';
import { createRetryBudget } from '../../../src/mesh/resilience/retry-budget.ts';
import {
  createRetryRules,
  type RetryCondition,
  type RetryReason,
} from '../../../src/mesh/resilience/retry-policy.ts';
import type { CallRequest } from '../../../src/mesh/service/call.ts';
import { ServiceCall } from '../../../src/mesh/service/service-call.ts';
import type { CallService } from '../../../src/mesh/service/try.ts';
import { TryOutcomes } from '../../../src/mesh/service/try-outcomes.ts';
import { UpstreamError, type UpstreamFailure } from '../../../src/mesh/transport/upstream-error.ts';
import type {
  UpstreamCall,
  UpstreamRequest,
  UpstreamSink,
} from '../../../src/mesh/transport/upstream.ts';
import { CallRecorder } from './service-fixture.ts';

/** A try as the transport has it. */
export class ScriptedTry implements UpstreamCall {
  readonly endpoint: Endpoint;
  readonly request: UpstreamRequest;
  readonly #sink: UpstreamSink;
  isPaused = false;
  isAborted = false;
  isAnswered = false;
  #isEnded = false;

  constructor(endpoint: Endpoint, request: UpstreamRequest, sink: UpstreamSink) {
    this.endpoint = endpoint;
    this.request = request;
    this.#sink = sink;
    sink.onSent?.({ reused: false });
  }

  /** The call still waits for something of it. */
  get isLive(): boolean {
    return !this.isAborted && !this.#isEnded;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  abort(): void {
    this.isAborted = true;
  }

  informs(status = 103): void {
    this.#sink.onInformational(status, []);
  }

  answers(status = 200, headers: string[] = []): void {
    this.isAnswered = true;
    this.#sink.onHead(status, '', new HeaderFields(headers));
  }

  pushes(text: string): void {
    this.#sink.onData(Buffer.from(text));
  }

  ends(): void {
    this.#isEnded = true;
    this.#sink.onEnd(undefined);
  }

  fails(failure: UpstreamFailure, { reused = false } = {}): void {
    this.#isEnded = true;
    const facts = { sent: true, answered: this.isAnswered, reused };
    this.#sink.onError(new UpstreamError(failure, failure, facts));
  }
}

export interface ScriptedServiceOptions {
  readonly endpoints?: number;
  /** Null: off. */
  readonly hedge?: Partial<HedgeRules> | null;
  /** What each endpoint took for its last 20 answers; 0: nothing is known. */
  readonly latencyMs?: number;
  readonly retry?: { readonly attempts?: number; readonly on?: readonly RetryCondition[] };
  readonly minPerSecond?: number;
  readonly maxRequests?: number;
  readonly random?: () => number;
}

export class ScriptedService {
  readonly endpoints: readonly Endpoint[];
  readonly host: CallService;
  /** All tries sent, in order. */
  readonly sent: ScriptedTry[] = [];
  readonly retries: RetryReason[] = [];
  deposits = 0;
  withdrawals = 0;
  /** Calls that were told to be over, as the topology counts them. */
  ends = 0;
  readonly #request: Omit<CallRequest, 'toTry'>;

  constructor(options: ScriptedServiceOptions = {}) {
    const { retry = {}, latencyMs = 100, maxRequests = 100, random = () => 0 } = options;
    const monotonic = (): number => performance.now();
    const now = (): number => Date.now();
    const hedge: HedgeRules | undefined =
      options.hedge === null
        ? undefined
        : { percentile: 0.95, minDelayMs: 10, attempts: 1, ...options.hedge };
    this.endpoints = Array.from({ length: options.endpoints ?? 3 }, (_, index) => {
      const id = 'abcdef'[index]!;
      const spec = { id, host: '127.0.0.1', port: 1 + index, weight: 1, metadata: {} };
      const endpoint = createEndpoint(spec, monotonic());
      if (latencyMs > 0 && hedge !== undefined) {
        const recent = new RecentLatency(hedge.percentile);
        for (let i = 0; i < 20; i++) recent.record(latencyMs, monotonic());
        endpoint.seen.recentLatency = recent;
      }
      return endpoint;
    });
    const subset = createLoadSet({}, () => createRoundRobin({ random }), random);
    subset.update(this.endpoints);
    const breaker = createCircuitBreaker({ maxRequests, maxPending: 100, maxConnections: 100 });
    const budget = createRetryBudget({ minPerSecond: options.minPerSecond ?? 10, monotonic });
    this.host = {
      name: 'orders',
      isStopped: false,
      breaker,
      budget: {
        deposit: () => {
          this.deposits++;
          budget.deposit();
        },
        tryWithdraw: () => {
          const isGranted = budget.tryWithdraw();
          if (isGranted) this.withdrawals++;
          return isGranted;
        },
        get available() {
          return budget.available;
        },
      },
      timeouts: { connectMs: 0, responseMs: 0, idleMs: 0, keepAliveMs: 0 },
      outcomes: new TryOutcomes({
        outliers: createDetector(monotonic, this.endpoints),
        latency: false,
        timed: false,
        hedge,
        http2: false,
        monotonic,
        now,
      }),
      environment: {
        monotonic,
        now,
        random,
        zone: undefined,
        onRetry: (_service, reason) => this.retries.push(reason),
        onEjection: () => undefined,
        onHealthEvent: () => undefined,
      },
      send: (endpoint, request, sink) => {
        const one = new ScriptedTry(endpoint, request, sink);
        this.sent.push(one);
        return one;
      },
      ended: () => this.ends++,
      release: () => breaker.release(),
    };
    this.#request = {
      method: 'GET',
      subset,
      body: undefined,
      upgrade: undefined,
      expectContinue: false,
      retry: createRetryRules(retry),
      hedge,
      perTryTimeoutMs: 0,
      timeoutMs: 0,
    };
  }

  call(changes: Partial<CallRequest> = {}, sink = new SettledRecorder()): ScriptedCall {
    const toTry = (): { target: string; authority: string; headers: string[] } => ({
      target: '/',
      authority: 'orders.test',
      headers: [],
    });
    const call = new ServiceCall(this.host, { ...this.#request, toTry, ...changes }, sink);
    call.start();
    return { call, sink };
  }

  /** Requests in flight, by endpoint and for the circuit breaker. */
  get active(): { readonly endpoints: number[]; readonly places: number } {
    return {
      endpoints: this.endpoints.map(({ active }) => active),
      places: this.host.breaker.active,
    };
  }

  /** What is left where all calls are over: nothing. */
  get leftovers(): readonly unknown[] {
    const { endpoints, places } = this.active;
    return [...endpoints, places, vi.getTimerCount()].filter((count) => count !== 0);
  }
}

export interface ScriptedCall {
  readonly call: ServiceCall;
  readonly sink: SettledRecorder;
}

export class SettledRecorder extends CallRecorder {
  /** The endpoint that the answer is said to be of. */
  endpoint: Endpoint | undefined;
  /** As `onSettled` told it. */
  sentAtMs: number | undefined;

  override onTry(endpoint: Endpoint, attempt: number): void {
    this.endpoint = endpoint;
    super.onTry(endpoint, attempt);
  }

  onSettled(endpoint: Endpoint, sentAtMs: number): void {
    this.endpoint = endpoint;
    this.sentAtMs = sentAtMs;
  }
}

function createDetector(monotonic: () => number, endpoints: readonly Endpoint[]): OutlierDetector {
  return new OutlierDetector(
    {
      consecutive5xx: 5,
      consecutiveGatewayFailure: undefined,
      consecutiveLocalOriginFailure: 5,
      intervalMs: 10_000,
      baseEjectionTimeMs: 30_000,
      maxEjectionTimeMs: 300_000,
      maxEjectionPercent: 10,
      successRate: undefined,
      failurePercentage: undefined,
    },
    {
      monotonic,
      endpoints: () => endpoints,
      onChanged: () => undefined,
      onEjected: () => undefined,
      onReturned: () => undefined,
    },
  );
}
