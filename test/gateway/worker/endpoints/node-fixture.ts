/** A node in one process: a supervisor's service and the workers that follow it, on a clock of the test. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HeaderFields } from '../../../../src/plugins/sdk/header-fields.ts';
import { createUndeclaredServices } from '../../../../src/gateway/config/mesh-service.ts';
import type { ServiceConfig } from '../../../../src/gateway/config/service-config.ts';
import { keyOfService } from '../../../../src/gateway/config/service-key.ts';
import {
  createFollowedServices,
  type FollowedServices,
} from '../../../../src/gateway/worker/endpoints/followed-services.ts';
import {
  createServiceAuthority,
  type ServiceAuthority,
} from '../../../../src/gateway/worker/endpoints/service-authority.ts';
import type {
  FromFollower,
  ToFollower,
} from '../../../../src/gateway/worker/endpoints/endpoint-messages.ts';
import type { EndpointSource } from '../../../../src/mesh/discovery/endpoint-source.ts';
import type { Endpoint, EndpointSpec } from '../../../../src/mesh/endpoint.ts';
import type { OutlierRules } from '../../../../src/mesh/health/outlier-rules.ts';
import { createRetryRules } from '../../../../src/mesh/resilience/retry-policy.ts';
import type { HealthOptions } from '../../../../src/mesh/service/endpoint-health.ts';
import type { Following } from '../../../../src/mesh/service/following.ts';
import { Service } from '../../../../src/mesh/service/service.ts';
import { SERVICE_DEFAULTS } from '../../../../src/mesh/service/service-defaults.ts';
import { linkPair, type LinkPair } from '../link-pair.ts';

export const OUTLIERS: OutlierRules = {
  ...SERVICE_DEFAULTS.outliers,
  maxEjectionPercent: 100,
  successRate: undefined,
};

export const ORDERS: ServiceConfig = createUndeclaredServices().discovered('orders');
export const KEY = keyOfService(ORDERS);

/** Discovery that says nothing until the test speaks for it. */
export class SilentSource implements EndpointSource {
  #listener: ((specs: readonly EndpointSpec[]) => void) | undefined;

  start(listener: (specs: readonly EndpointSpec[]) => void): void {
    this.#listener = listener;
  }

  stop(): void {
    this.#listener = undefined;
  }

  announce(specs: readonly EndpointSpec[]): void {
    this.#listener?.(specs);
  }
}

export interface TestWorker {
  readonly service: Service;
  readonly followed: FollowedServices;
  readonly link: LinkPair<FromFollower, ToFollower>;
  readonly find: (id: string) => Endpoint;
  /** A try of it is answered, or fails. */
  readonly sees: (id: string, ...statuses: readonly (number | 'reset')[]) => void;
  /** kill -9 */
  readonly die: () => void;
}

export interface TestNodeOptions {
  readonly health?: Partial<Omit<HealthOptions, 'service'>>;
  readonly adaptiveWeights?: boolean;
  readonly holdUndeclared?: (name: string) => () => void;
  /** How messages travel; default: each arrives in a turn of its own. */
  readonly defer?: (run: () => void) => void;
}

export class TestNode {
  nowMs = 1_000_000;
  readonly events: string[] = [];
  readonly authority: ServiceAuthority;
  readonly source = new SilentSource();
  readonly service: Service;
  readonly workers: TestWorker[] = [];
  readonly #options: TestNodeOptions;
  readonly #made: Service[] = [];
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  constructor(options: TestNodeOptions = {}) {
    this.#options = options;
    this.authority = createServiceAuthority({
      monotonic: () => this.nowMs,
      schedule: (delayMs, run) => {
        const timer = { atMs: this.nowMs + delayMs, run };
        this.#timers.add(timer);
        return () => void this.#timers.delete(timer);
      },
      holdUndeclared: options.holdUndeclared ?? (() => () => undefined),
    });
    this.service = this.create(this.source, undefined);
    this.service.start();
  }

  /** A service that is configured as the others; to be started. */
  create(source: EndpointSource | undefined, following: Following | undefined): Service {
    const { health, adaptiveWeights = false } = this.#options;
    const service = new Service(
      {
        name: 'orders',
        protocol: 'http1',
        tls: undefined,
        source,
        following,
        balancing: { policy: 'round-robin', slowStart: { windowMs: 30_000, aggression: 1 } },
        stickyKey: undefined,
        health: { checks: undefined, outliers: OUTLIERS, ...health },
        circuitBreaker: SERVICE_DEFAULTS.circuitBreaker,
        retry: createRetryRules({}),
        perTryTimeoutMs: 0,
        budget: SERVICE_DEFAULTS.retry.budget,
        timeouts: SERVICE_DEFAULTS.timeouts,
        adaptiveWeights,
      },
      {
        monotonic: () => this.nowMs,
        now: () => 0,
        random: () => 0,
        zone: undefined,
        onRetry: () => undefined,
        onEjection: () => undefined,
        onHealthEvent: ({ endpoint, kind }) => this.events.push(`${endpoint} ${kind}`),
      },
    );
    this.#made.push(service);
    return service;
  }

  /** One more worker, which follows the service. */
  fork(): TestWorker {
    const link = linkPair<FromFollower, ToFollower>(this.#options.defer);
    const forget = this.authority.join(link.supervisor);
    const monotonic = (): number => this.nowMs;
    const followed = createFollowedServices({ link: link.worker, monotonic });
    const service = this.create(undefined, followed.follow(ORDERS));
    service.start();
    const find = (id: string): Endpoint => service.endpoints.find((one) => one.id === id)!;
    const worker: TestWorker = {
      service,
      followed,
      link,
      find,
      sees(id, ...statuses) {
        for (const status of statuses) {
          if (status === 'reset') service.outcomes.failed(find(id), 'reset', 0);
          else service.outcomes.answered(find(id), 0, status, new HeaderFields());
        }
      },
      die: () => {
        followed.stop();
        link.cut();
        forget();
      },
    };
    this.workers.push(worker);
    return worker;
  }

  /** The supervisor's endpoint. */
  find(id: string): Endpoint {
    return this.service.endpoints.find((one) => one.id === id)!;
  }

  /** Everything that was said has arrived, and what followed from it too. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await nextTurn();
  }

  /** Time goes on, and what was to be done by then is done. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const timer of this.#timers) {
      if (timer.atMs > this.nowMs || !this.#timers.delete(timer)) continue;
      timer.run();
    }
    await this.settle();
  }

  async close(): Promise<void> {
    await Promise.all(this.#made.map((service) => service.stop()));
  }
}

export function spec(id: string, more: Partial<EndpointSpec> = {}): EndpointSpec {
  return { id, host: id, port: 80, weight: 1, metadata: {}, ...more };
}

/** What a service says of its endpoints, but for what each process measures itself. */
export function factsOf({ endpoints }: Service): readonly unknown[] {
  return endpoints.map((one) => ({
    spec: one.spec,
    weight: one.weight,
    factor: one.factor,
    draining: one.draining,
    healthy: one.healthy,
    ejected: one.ejected,
    ejectedByQuorum: one.ejectedByQuorum,
    gone: one.gone,
    wellSinceMs: one.wellSinceMs,
    usualAnswerMs: one.seen.usualAnswerMs,
  }));
}

/** Nodes whose service has the endpoints `a`, `b` and `c`, for the tests of one file. */
export function createNodes(): {
  readonly node: (workers: number, options?: TestNodeOptions) => Promise<TestNode>;
  readonly closeAll: () => Promise<void>;
} {
  const nodes: TestNode[] = [];
  return {
    async node(workers, options) {
      const made = new TestNode(options);
      made.authority.add(KEY, made.service);
      made.source.announce(['a', 'b', 'c'].map((id) => spec(id)));
      for (let i = 0; i < workers; i++) made.fork();
      await made.settle();
      nodes.push(made);
      return made;
    },
    async closeAll() {
      for (const node of nodes.splice(0)) await node.close();
    },
  };
}
