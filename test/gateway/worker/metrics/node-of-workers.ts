/** A supervisor and its workers, each with a registry of its own, and the metrics page of all. */
import { Gauge, Registry } from 'prom-client';
import {
  createRequestMetrics,
  type RequestMetrics,
} from '../../../../src/gateway/observe/request-metrics.ts';
import type {
  MetricsAsk,
  MetricsPart,
} from '../../../../src/gateway/worker/metrics/metric-family.ts';
import {
  createMetricsCollector,
  type MetricsCollector,
} from '../../../../src/gateway/worker/metrics/metrics-collector.ts';
import {
  createMetricsTeller,
  type MetricsTeller,
} from '../../../../src/gateway/worker/metrics/metrics-teller.ts';
import type { Log } from '../../../../src/plugins/sdk/plugin-context.ts';
import { ManualTime } from '../../../mesh/backplane/manual-time.ts';
import { linkPair, type LinkPair } from '../link-pair.ts';

export interface CountingWorker {
  readonly registry: Registry;
  readonly requests: RequestMetrics;
  readonly teller: MetricsTeller;
  readonly pair: LinkPair<MetricsPart, MetricsAsk>;
  /** As a process that is killed, and whose end the supervisor has seen. */
  die(): void;
}

export interface NodeOfWorkers {
  readonly time: ManualTime;
  readonly registry: Registry;
  readonly collector: MetricsCollector;
  readonly warnings: string[];
  addWorker(): CountingWorker;
  /** Lines of the page that begin so, in order. */
  lines(prefix: string): Promise<string[]>;
}

export function createNodeOfWorkers(): NodeOfWorkers {
  const time = new ManualTime();
  const warnings: string[] = [];
  const ignore = (): void => {};
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const log: Log = { debug: ignore, info: ignore, warn, error: warn };
  const registry = new Registry();
  new Gauge({
    name: 'meshgate_build_info',
    help: 'Always 1.',
    aggregator: 'first',
    registers: [registry],
  }).set(1);
  const { monotonic, schedule } = time;
  const collector = createMetricsCollector({ registry, monotonic, log, schedule });
  return {
    time,
    registry,
    collector,
    warnings,
    addWorker() {
      const own = new Registry();
      const pair = linkPair<MetricsPart, MetricsAsk>();
      const teller = createMetricsTeller({ registry: own, link: pair.worker, log });
      const detach = collector.attach(pair.supervisor);
      return {
        registry: own,
        requests: createRequestMetrics(own),
        teller,
        pair,
        die() {
          pair.cut();
          detach();
        },
      };
    },
    async lines(prefix) {
      const page = await collector.metrics();
      return page.split('\n').filter((line) => line.startsWith(prefix));
    },
  };
}
