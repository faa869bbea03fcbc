/** Nodes of one mesh in one process, each with a service of its own over the same endpoints; no request is really sent. */
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import type { Backplane } from '../../../src/mesh/backplane/backplane.ts';
import { scheduleTimer, type Schedule } from '../../../src/mesh/backplane/schedule.ts';
import type { Endpoint, EndpointSpec } from '../../../src/mesh/endpoint.ts';
import {
  createHealthSharing,
  type HealthSharing,
} from '../../../src/mesh/health/health-sharing.ts';
import type { OutlierRules } from '../../../src/mesh/health/outlier-rules.ts';
import type { FactorView } from '../../../src/mesh/health/weight-board.ts';
import type { Probe } from '../../../src/mesh/health/probe.ts';
import type { HealthEvent } from '../../../src/mesh/service/endpoint-health.ts';
import { createRetryRules } from '../../../src/mesh/resilience/retry-policy.ts';
import { Service } from '../../../src/mesh/service/service.ts';
import type { ServiceOptions } from '../../../src/mesh/service/service-options.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';

export const OUTLIERS: OutlierRules = {
  consecutive5xx: 5,
  consecutiveGatewayFailure: undefined,
  consecutiveLocalOriginFailure: 5,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 100,
  successRate: undefined,
  failurePercentage: undefined,
};

export interface SharingNode {
  readonly id: string;
  readonly service: Service;
  readonly sharing: HealthSharing;
  readonly events: HealthEvent[];
  /** Reasons of ejections. */
  readonly ejections: string[];
  /** Ids of the endpoints that its checks looked at. */
  readonly looks: string[];
  /** Each change of a factor. */
  readonly moves: FactorView[];
}

export interface SharingOptions {
  readonly endpoints: readonly string[];
  readonly nodes?: number;
  readonly health?: Partial<ServiceOptions['health']>;
  /** Milliseconds between checks; default: none. */
  readonly checkEveryMs?: number;
  readonly adaptiveWeights?: boolean;
  readonly monotonic?: () => number;
  readonly schedule?: Schedule;
  readonly random?: () => number;
}

const LAPSE = 10;
/** Beats ten times as often; leases and turns stay as they are. */
const lapse: Schedule = (delayMs, run) => scheduleTimer(delayMs / LAPSE, run);

export class SharingNodes {
  readonly all: readonly SharingNode[];
  /** Ids of endpoints that fail their checks. */
  readonly ill = new Set<string>();
  /** Names of nodes that are known to be alive. */
  live: readonly string[];
  readonly #crashed = new Set<string>();

  constructor(backplanes: readonly Backplane[], options: SharingOptions) {
    const { nodes = 5 } = options;
    const ids = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
    this.live = ids;
    this.all = ids.map((id, index) =>
      this.#createNode(id, backplanes[index % backplanes.length]!, options),
    );
  }

  start(): void {
    for (const { service, sharing } of this.all) {
      service.start();
      sharing.start();
    }
  }

  /** It says nothing more, and the others are told that it is not there. */
  async crash({ id, service }: SharingNode): Promise<void> {
    this.#crashed.add(id);
    this.live = this.live.filter((one) => one !== id);
    await service.stop();
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ sharing }) => sharing.stop()));
    await Promise.all(this.all.map(({ service }) => service.stop()));
  }

  #createNode(id: string, backplane: Backplane, options: SharingOptions): SharingNode {
    const {
      endpoints,
      checkEveryMs,
      adaptiveWeights = true,
      monotonic = () => performance.now(),
      schedule = lapse,
      random = Math.random,
    } = options;
    const events: HealthEvent[] = [];
    const ejections: string[] = [];
    const looks: string[] = [];
    const moves: FactorView[] = [];
    const probe: Probe = (endpoint, _timeoutMs, report) => {
      looks.push(endpoint.id);
      const immediate = setImmediate(() => {
        const isIll = this.ill.has(endpoint.id);
        report({ result: isIll ? 'fail' : 'pass', detail: isIll ? 'status 503' : 'status 200' });
      });
      return { cancel: () => clearImmediate(immediate) };
    };
    const thresholds = { healthyThreshold: 2, unhealthyThreshold: 3 };
    const service = new Service(
      {
        name: 'orders',
        protocol: 'http1',
        tls: undefined,
        source: { start: (listener) => listener(endpoints.map(toSpec)), stop: () => undefined },
        balancing: { policy: 'round-robin' },
        stickyKey: undefined,
        health: {
          checks:
            checkEveryMs === undefined
              ? undefined
              : {
                  probe,
                  rules: { intervalMs: checkEveryMs, timeoutMs: 1000, ...thresholds },
                  key: 'http /healthz',
                },
          outliers: OUTLIERS,
          ...options.health,
        },
        circuitBreaker: { maxRequests: 10, maxPending: 10, maxConnections: 10 },
        retry: createRetryRules({}),
        perTryTimeoutMs: 0,
        budget: { ratio: 0.2, minPerSecond: 10 },
        timeouts: { connectMs: 1000, responseMs: 0, idleMs: 0, keepAliveMs: 1000 },
        sharedAs: 'orders',
        adaptiveWeights,
      },
      {
        monotonic,
        now: Date.now,
        random,
        zone: undefined,
        isOwnCheck: (name, endpoint) => sharing.isOwnCheck(name, endpoint),
        onRetry: () => undefined,
        onEjection: (_service, reason) => ejections.push(reason),
        onHealthEvent: (event) => events.push(event),
      },
    );
    const sharing: HealthSharing = createHealthSharing({
      backplane,
      nodeId: id,
      liveNodes: () => this.live,
      services: () => [service],
      monotonic,
      random,
      schedule: (delayMs, run) => schedule(delayMs, () => this.#crashed.has(id) || run()),
      log: SILENT,
      onFactorChange: (_service, view) => moves.push(view),
    });
    return { id, service, sharing, events, ejections, looks, moves };
  }
}

function toSpec(id: string): EndpointSpec {
  return { id, host: id, port: 80, weight: 1, metadata: {} };
}

export function endpointOf({ service }: SharingNode, id: string): Endpoint {
  return service.endpoints.find((endpoint) => endpoint.id === id)!;
}

/** Requests that the node sent to an endpoint, and what each came to. */
export function answer(node: SharingNode, id: string, status: number, count: number): void {
  const endpoint = endpointOf(node, id);
  for (let i = 0; i < count; i += 1) {
    node.service.outcomes.answered(
      endpoint,
      node.service.outcomes.start(),
      status,
      new HeaderFields(),
    );
  }
}

/** Never so many failures in a row that the endpoint is put aside. */
export function answerMixed(
  node: SharingNode,
  id: string,
  { requests, failures }: { readonly requests: number; readonly failures: number },
): void {
  const each = failures === 0 ? requests : Math.max(1, Math.floor(requests / failures) - 1);
  for (let failed = 0; failed < failures; failed += 1) {
    answer(node, id, 200, each);
    answer(node, id, 500, 1);
  }
  answer(node, id, 200, Math.max(0, requests - failures * (each + 1)));
}
