/** Reads a registry piece by piece, so that whoever serves meanwhile waits for none of them long. */
import type { Registry } from 'prom-client';
import {
  publishedOf,
  type Aggregator,
  type LabelledDistribution,
  type Sample,
} from '../../observe/published-metric.ts';
import {
  HISTOGRAM_WIDTH,
  SERIES_A_PIECE,
  toLabelText,
  toSeries,
  type FamilyHead,
  type FamilyPart,
} from './metric-family.ts';

/** What prom-client's own metrics answer to `get`. */
interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: string | number;
  readonly aggregator?: Aggregator;
  readonly values: readonly Sample[];
}

export interface ReadOptions {
  /** Left out: metrics with these aggregators. */
  readonly without?: ReadonlySet<Aggregator>;
  /** Hears of a metric that could not be read; the others are. */
  readonly onUnread: (name: string, error: unknown) => void;
}

/** A metric without series is one piece, too. */
export async function* readFamilies(
  registry: Registry,
  { without, onUnread }: ReadOptions,
): AsyncGenerator<FamilyPart> {
  for (const metric of registry.getMetricsAsArray()) {
    try {
      const published = publishedOf(metric);
      const described = published ?? (await collect(metric));
      const { name, help, aggregator = 'sum' } = described;
      if (without?.has(aggregator) === true) continue;
      const head = { name, help, type: String(described.type), aggregator };
      if ('values' in described) yield* ofSamples({ ...head, width: 1 }, described.values);
      else if (described.type !== 'histogram') {
        yield* ofSamples({ ...head, width: 1 }, described.samples());
      } else {
        yield* ofDistributions({ ...head, width: HISTOGRAM_WIDTH }, described.distributions());
      }
    } catch (error) {
      onUnread(metric.name, error);
    }
  }
}

function collect(metric: object): Promise<Collected> {
  return (metric as { get(): Promise<Collected> }).get();
}

function* ofSamples(head: FamilyHead, samples: Iterable<Sample | undefined>): Iterable<FamilyPart> {
  let series: string[] = [];
  let values: number[] = [];
  for (const sample of samples) {
    if (sample === undefined) continue;
    const { metricName = head.name, labels, value } = sample;
    series.push(toSeries(metricName, toLabelText(labels)));
    values.push(value);
    if (series.length < SERIES_A_PIECE) continue;
    yield { ...head, series, values: Float64Array.from(values) };
    series = [];
    values = [];
  }
  yield { ...head, series, values: Float64Array.from(values) };
}

function* ofDistributions(
  head: FamilyHead,
  distributions: Iterable<LabelledDistribution | undefined>,
): Iterable<FamilyPart> {
  let series: string[] = [];
  let values: number[] = [];
  for (const one of distributions) {
    if (one === undefined) continue;
    const { labels, distribution } = one;
    series.push(toLabelText(labels));
    for (const count of distribution.cumulative) values.push(count);
    values.push(distribution.sum);
    if (series.length < SERIES_A_PIECE) continue;
    yield { ...head, series, values: Float64Array.from(values) };
    series = [];
    values = [];
  }
  yield { ...head, series, values: Float64Array.from(values) };
}
