/** Lends prom-client figures that are kept elsewhere: read when it scrapes, not copied at every request. */
import type { Metric, Registry } from 'prom-client';
import { LATENCY_BOUNDS, type Distribution } from './histogram.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** With its suffix, where it is not the metric's own name. */
  readonly metricName?: string;
}

export interface PublishedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: () => readonly Sample[];
}

/**
 * prom-client's own counters hash their labels at each `inc`, which costs more than routing does.
 * A registry takes anything that has a name and a `get`, and aggregates it across processes alike.
 */
export function publish(registry: Registry, { name, help, type, samples }: PublishedMetric): void {
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values: samples() }),
    reset: () => {},
  };
  registry.registerMetric(metric as unknown as Metric);
}

export function toHistogramSamples(
  name: string,
  labels: Readonly<Record<string, string>>,
  { sum, cumulative }: Distribution,
): Sample[] {
  const total = cumulative.at(-1)!;
  const samples: Sample[] = cumulative.map((value, i) => ({
    labels: { ...labels, le: LATENCY_BOUNDS[i] ?? '+Inf' },
    value,
    metricName: `${name}_bucket`,
  }));
  samples.push({ labels, value: sum, metricName: `${name}_sum` });
  samples.push({ labels, value: total, metricName: `${name}_count` });
  return samples;
}
