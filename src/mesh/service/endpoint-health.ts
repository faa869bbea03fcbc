/** Health of a service's endpoints: active checks and outlier detection, and what follows from their verdicts. */
import type { Endpoint } from '../endpoint.ts';
import { ActiveChecks, type CheckRules } from '../health/active-checks.ts';
import { OutlierDetector } from '../health/outlier-detector.ts';
import type { EjectionReason, OutlierRules } from '../health/outlier-rules.ts';
import type { Probe } from '../health/probe.ts';

export interface HealthOptions {
  readonly service: string;
  /** Undefined: none. */
  readonly checks: HealthChecks | undefined;
  /** Undefined: none. */
  readonly outliers: OutlierRules | undefined;
}

export interface HealthChecks {
  readonly probe: Probe;
  readonly rules: CheckRules;
  /**
   * Text that is the same on all nodes that ask in the same way, and take each other's word for
   * it; undefined: this node alone knows.
   */
  readonly key?: string | undefined;
}

/** A change worth a line in the log. */
export interface HealthEvent {
  readonly service: string;
  readonly endpoint: string;
  readonly kind: 'unhealthy' | 'healthy' | 'ejected' | 'returned';
  /** For people; of an ejection its reason. */
  readonly detail: string;
}

export interface HealthEnvironment {
  readonly monotonic: () => number;
  readonly random: () => number;
  /** Whether this node checks an endpoint; where nodes share the work, `ownsCheck` says so. */
  readonly isOwnCheck?: (service: string, endpoint: Endpoint) => boolean;
  readonly onEjection: (service: string, reason: EjectionReason) => void;
  readonly onHealthEvent: (event: HealthEvent) => void;
}

export class EndpointHealth {
  readonly outliers: OutlierDetector | undefined;
  readonly checks: ActiveChecks | undefined;
  /** As `HealthChecks.key`; undefined also where there are no checks. */
  readonly checkKey: string | undefined;
  readonly #listeners = new Set<() => void>();

  /** `endpoints` are those in use; `onChanged` hears that one of them may, or may not, be chosen now. */
  constructor(
    { service, checks, outliers }: HealthOptions,
    environment: HealthEnvironment,
    endpoints: () => readonly Endpoint[],
    onChanged: () => void,
  ) {
    this.checkKey = checks?.key;
    const changed = (): void => {
      onChanged();
      for (const listener of this.#listeners) listener();
    };
    const { monotonic, random, isOwnCheck, onEjection, onHealthEvent } = environment;
    const tell = (kind: HealthEvent['kind'], { id }: Endpoint, detail: string): void =>
      onHealthEvent({ service, endpoint: id, kind, detail });
    if (outliers !== undefined) {
      this.outliers = new OutlierDetector(outliers, {
        monotonic,
        endpoints,
        onChanged: changed,
        onEjected(endpoint, reason, detail) {
          onEjection(service, reason);
          tell('ejected', endpoint, `${reason}, ${detail}`);
        },
        onReturned: (endpoint) => tell('returned', endpoint, ''),
      });
    }
    if (checks !== undefined) {
      this.checks = new ActiveChecks(checks.probe, checks.rules, {
        monotonic,
        random,
        isOwn: (endpoint) => isOwnCheck?.(service, endpoint) ?? true,
        onChanged(endpoint, { detail }) {
          tell(endpoint.healthy ? 'healthy' : 'unhealthy', endpoint, detail);
          changed();
        },
        onPassed: (endpoint) => this.outliers?.onCheckPassed(endpoint),
      });
    }
  }

  /** Hears each change of an endpoint's `healthy` or `ejected`; returns how to stop that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.outliers?.start();
  }

  /** The endpoints in use from now on. */
  update(endpoints: readonly Endpoint[]): void {
    this.checks?.update(endpoints);
  }

  stop(): void {
    this.outliers?.stop();
    this.checks?.stop();
  }

  /**
   * Whether an endpoint that discovery lists no longer is kept: it passes its checks, so it is
   * discovery that may be wrong (Envoy's 2×2 rule). One that drains has said goodbye itself.
   */
  outlivesDiscovery({ healthy, draining }: Endpoint): boolean {
    return this.checks !== undefined && healthy && !draining;
  }
}
