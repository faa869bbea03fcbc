/** How exchanges are seen from outside: metrics, the access log, and traces. */
import { Registry } from 'prom-client';
import type { Config } from '../gateway/config/config.ts';
import { createAccessLog } from '../gateway/observe/create-access-log.ts';
import { createObserver } from '../gateway/observe/create-observer.ts';
import type { Observer } from '../gateway/observe/observer.ts';
import type { SecretNames } from '../gateway/observe/hidden-fields.ts';
import { createRequestMetrics, type RequestMetrics } from '../gateway/observe/request-metrics.ts';
import { createTap, type Tap } from '../gateway/observe/tap.ts';
import { createTracing } from '../gateway/observe/tracing.ts';
import type { Clock, Log } from '../plugins/sdk/plugin-context.ts';

export interface ObservabilityOptions {
  readonly config: Config;
  readonly nodeName: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What the configuration in force says is secret. */
  readonly secrets: () => SecretNames;
  /** Other processes write into the same log. */
  readonly isShared: boolean;
}

export interface Observability {
  /** Of all metrics of the process. */
  readonly registry: Registry;
  readonly requestMetrics: RequestMetrics;
  readonly observer: Observer;
  /** For who wants to watch exchanges. */
  readonly tap: Tap;
  /** Lines of the access log that could not be written. */
  readonly droppedLogLines: () => number;
  start(): void;
  /** Opens log files anew. */
  reopen(): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

export function createObservability(options: ObservabilityOptions): Observability {
  const { config, nodeName, version, clock, random, log, secrets, isShared } = options;
  const registry = new Registry();
  const requestMetrics = createRequestMetrics(registry);
  const accessLog = createAccessLog(config, log, isShared);
  const { tracing: traces } = config.telemetry;
  const tracing =
    traces === undefined ? undefined : createTracing({ ...traces, nodeName, version, log });
  const tap = createTap({ random, secrets });
  const observer = createObserver({
    clock,
    random,
    log,
    metrics: requestMetrics,
    accessLog,
    tracing,
    tap,
  });
  return {
    registry,
    requestMetrics,
    observer,
    tap,
    droppedLogLines: () => accessLog?.writer.dropped ?? 0,
    start: () => accessLog?.writer.start(),
    reopen: () => accessLog?.writer.reopen(),
    async stop() {
      await Promise.all([tracing?.stop(), accessLog?.writer.close()]);
    },
  };
}
