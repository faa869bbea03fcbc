/** Lends prom-client figures that are kept elsewhere: read when it scrapes, not copied at every request. */
import type { Metric, Registry } from 'prom-client';
import { LATENCY_BOUNDS, type Distribution } from './histogram.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** With its suffix, where it is not the metric's own name. */
  readonly metricName?: string;
}

/** What one histogram has seen. */
export interface LabelledDistribution {
  readonly labels: Readonly<Record<string, string>>;
  readonly distribution: Distribution;
}

/** How the figures of several processes become one, by prom-client's names; `first`: the supervisor's alone count. */
export type Aggregator = 'sum' | 'first' | 'omit' | 'min' | 'max' | 'average';

interface Described {
  readonly name: string;
  readonly help: string;
  /** Default `sum`. */
  readonly aggregator?: Aggregator;
}

/**
 * Whoever reads may pause on the way, so what it goes through may change meanwhile. Undefined is
 * nothing: a look in vain, after which one may pause as well.
 */
export interface PublishedFigures extends Described {
  readonly type: 'counter' | 'gauge';
  readonly samples: () => Iterable<Sample | undefined>;
}

export interface PublishedHistogram extends Described {
  readonly type: 'histogram';
  readonly distributions: () => Iterable<LabelledDistribution | undefined>;
}

export type PublishedMetric = PublishedFigures | PublishedHistogram;

/** What a registry holds of a published metric. */
interface Registered {
  readonly published: PublishedMetric;
}

/**
 * prom-client's own counters hash their labels at each `inc`, which costs more than routing does.
 * A registry takes anything that has a name and a `get`.
 */
export function publish(registry: Registry, published: PublishedMetric): void {
  const { name, help, type, aggregator = 'sum' } = published;
  const values = (): Sample[] => {
    if (published.type !== 'histogram') return Array.from(published.samples()).filter(isThere);
    const there = Array.from(published.distributions()).filter(isThere);
    return there.flatMap((one) => toHistogramSamples(name, one));
  };
  const metric = {
    name,
    help,
    type,
    aggregator,
    get: () => Promise.resolve({ name, help, type, aggregator, values: values() }),
    reset: () => {},
    published,
  };
  registry.registerMetric(metric as unknown as Metric & Registered);
}

/** What was published of it; undefined for a metric that prom-client keeps. */
export function publishedOf(metric: object): PublishedMetric | undefined {
  return (metric as Partial<Registered>).published;
}

/** What sources have to tell, one by one; undefined for each that has nothing, of which there may be very many. */
export function* eachOf<Source, One>(
  sources: Iterable<Source>,
  toOnes: (source: Source) => readonly One[],
): Iterable<One | undefined> {
  for (const source of sources) {
    const ones = toOnes(source);
    if (ones.length === 0) yield undefined;
    for (const one of ones) yield one;
  }
}

function isThere<One>(one: One | undefined): one is One {
  return one !== undefined;
}

function toHistogramSamples(
  name: string,
  { labels, distribution: { sum, cumulative } }: LabelledDistribution,
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
