/** Services over real origins, and what must be true of every one of them once its calls are over. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect } from 'vitest';
import type { EndpointSource } from '../../../src/mesh/discovery/endpoint-source.ts';
import { toEndpointId, type Endpoint, type EndpointSpec } from '../../../src/mesh/endpoint.ts';
import { RecentLatency } from '../../../src/mesh/resilience/recent-latency.ts';
import {
  createRetryRules,
  type RetryCondition,
  type RetryReason,
} from '../../../src/mesh/resilience/retry-policy.ts';
import type { Call, CallRequest, CallSink } from '../../../src/mesh/service/call.ts';
import type { HealthEvent } from '../../../src/mesh/service/endpoint-health.ts';
import { Service, type ServiceEnvironment } from '../../../src/mesh/service/service.ts';
import type { ServiceOptions } from '../../../src/mesh/service/service-options.ts';
import type { UpstreamTarget } from '../../../src/mesh/transport/upstream.ts';
import type { Origin } from '../../contracts/upstream-origin.ts';
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';

/** Discovery that a test speaks for. */
export class TestSource implements EndpointSource {
  onAnnounced: (() => void) | undefined;
  #listener: ((specs: readonly EndpointSpec[]) => void) | undefined;
  #specs: readonly EndpointSpec[];

  constructor(specs: readonly EndpointSpec[]) {
    this.#specs = specs;
  }

  start(listener: (specs: readonly EndpointSpec[]) => void): void {
    this.#listener = listener;
    listener(this.#specs);
  }

  stop(): void {
    this.#listener = undefined;
  }

  announce(specs: readonly EndpointSpec[]): void {
    this.#specs = specs;
    this.#listener?.(specs);
    this.onAnnounced?.();
  }
}

export interface TestServiceOptions extends Partial<
  Pick<
    ServiceOptions,
    | 'name'
    | 'protocol'
    | 'circuitBreaker'
    | 'hedge'
    | 'perTryTimeoutMs'
    | 'budget'
    | 'timeouts'
    | 'balancing'
    | 'stickyKey'
    | 'health'
  >
> {
  readonly retry?: {
    readonly attempts?: number;
    readonly on?: readonly RetryCondition[];
  };
  readonly now?: () => number;
  readonly random?: () => number;
  readonly edgeTo?: ServiceEnvironment['edgeTo'];
}

export interface TestService {
  readonly service: Service;
  readonly source: TestSource;
  /** The reasons of all retries, in order. */
  readonly retries: RetryReason[];
  /** What became of endpoints, in order. */
  readonly events: HealthEvent[];
}

/** No timeout is near, and a retry follows at once: full jitter draws 0. */
const DEFAULTS = {
  name: 'orders',
  protocol: 'http1',
  circuitBreaker: { maxRequests: 1024, maxPending: 1024, maxConnections: 1024 },
  hedge: undefined,
  perTryTimeoutMs: 0,
  budget: { ratio: 0.2, minPerSecond: 10 },
  timeouts: { connectMs: 10_000, responseMs: 0, idleMs: 0, keepAliveMs: 60_000 },
  balancing: { policy: 'round-robin' },
  stickyKey: undefined,
  health: { checks: undefined, outliers: undefined },
} as const;

export function toSpec(target: UpstreamTarget, more: Partial<EndpointSpec> = {}): EndpointSpec {
  const { host, port } = target;
  return { id: toEndpointId(host, port), host, port, weight: 1, metadata: {}, ...more };
}

/**
 * Closes after each test what was opened in it, and holds every service to its invariants: no
 * endpoint and no breaker counts a request that is over. To be called at the top of a test file.
 */
export function serviceFixtures(): {
  origin: <T extends Origin>(pending: Promise<T>) => Promise<T>;
  service: (specs: readonly EndpointSpec[], options?: TestServiceOptions) => TestService;
} {
  const origins: Origin[] = [];
  const services: { service: Service; seen: Set<Endpoint> }[] = [];
  afterEach(async () => {
    for (const origin of origins.splice(0)) await origin.close();
    for (const { service, seen } of services.splice(0)) {
      await service.stop();
      expect([...seen].map(({ id, active }) => [id, active])).toEqual(
        [...seen].map(({ id }) => [id, 0]),
      );
      expect(service.breaker.active).toBe(0);
    }
  });
  return {
    origin: async (pending) => {
      const origin = await pending;
      origins.push(origin);
      return origin;
    },
    service: (specs, { retry, now, random, edgeTo, ...options } = {}) => {
      const source = new TestSource(specs);
      const retries: RetryReason[] = [];
      const events: HealthEvent[] = [];
      const service = new Service(
        {
          ...DEFAULTS,
          ...options,
          topologyName: 'orders',
          tls: undefined,
          source,
          retry: createRetryRules(retry ?? {}),
        },
        {
          monotonic: () => performance.now(),
          now: now ?? (() => Date.now()),
          random: random ?? (() => 0),
          zone: undefined,
          onRetry: (_service, reason) => retries.push(reason),
          onEjection: () => undefined,
          onHealthEvent: (event) => events.push(event),
          edgeTo,
        },
      );
      service.start();
      const seen = new Set(service.endpoints);
      source.onAnnounced = () => {
        for (const endpoint of service.endpoints) seen.add(endpoint);
      };
      services.push({ service, seen });
      return { service, source, retries, events };
    },
  };
}

/** As if it had always answered within a millisecond, so that calls are hedged after `minDelay`. */
export function takeForQuick(endpoint: Endpoint): void {
  const recent = new RecentLatency(0.95);
  for (let i = 0; i < 1000; i++) recent.record(1, performance.now());
  endpoint.seen.recentLatency = recent;
}

/** A port that nobody listens on. */
export async function createRefusingTarget(): Promise<UpstreamTarget> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host: '127.0.0.1', port, protocol: 'http1' };
}

/** A CallSink that keeps what it hears and lets a test wait for it. */
export class CallRecorder extends UpstreamRecorder implements CallSink {
  /** The endpoints of the tries, by id. */
  readonly tries: string[] = [];
  onTried: ((endpoint: Endpoint, attempt: number) => void) | undefined;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** Resolves once so many tries have been begun. */
  tried(count: number): Promise<void> {
    if (this.tries.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  onTry(endpoint: Endpoint, attempt: number): void {
    this.tries.push(endpoint.id);
    for (const { count, resolve } of this.#waiting) if (attempt >= count) resolve();
    this.onTried?.(endpoint, attempt);
  }
}

export interface RecordedCall extends Call {
  readonly sink: CallRecorder;
}

/** Calls a service by its own rules, but for what a test wants to be different. */
export function startCall(
  service: Service,
  changes: Partial<CallRequest> = {},
  sink: CallRecorder = new CallRecorder(),
): RecordedCall {
  const call = service.call(
    {
      method: 'GET',
      subset: service.subset({}),
      body: undefined,
      upgrade: undefined,
      expectContinue: false,
      retry: service.retry,
      hedge: service.hedge,
      perTryTimeoutMs: service.perTryTimeoutMs,
      timeoutMs: 0,
      toTry: () => ({ target: '/', authority: 'orders.test', headers: [] }),
      ...changes,
    },
    sink,
  );
  return {
    sink,
    pause: () => call.pause(),
    resume: () => call.resume(),
    abort: () => call.abort(),
  };
}
