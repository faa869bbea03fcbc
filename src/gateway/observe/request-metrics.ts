/** Counters and histograms of exchanges, kept in plain cells and published to prom-client when scraped. */
import type { Registry } from 'prom-client';
import { Histogram, HistogramBlocks, toDistribution } from './histogram.ts';
import { eachOf, publish, type LabelledDistribution, type Sample } from './published-metric.ts';

/** The cells of one route; a route keeps its own through reloads. */
export interface RouteCells {
  /** `service` is empty where none was called; `seconds` is the whole exchange. */
  record(listener: string, service: string, method: string, status: number, seconds: number): void;
  rateLimited(): void;
}

/** Cells of somebody who will let go of them. */
export interface HeldCells extends RouteCells {
  /**
   * Once for each `cellsOf`. With the last of a route that is gone its series are: a gateway that is
   * given other routes every minute would else remember them all.
   */
  release(): void;
}

export interface RequestMetrics {
  /** `part`: of a route whose cells would become many, such as one with a service for each host. */
  cellsOf(route: string, part?: string): HeldCells;
  /** Time to the upstream's head. */
  upstream(service: string, seconds: number): void;
  /** No service has this name any more, so it needs no series. */
  serviceGone(service: string): void;
}

/** Methods that get a label of their own; any other is `other`, since clients may invent them. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);

/** A status that no answer has: nothing is counted any more. */
const GONE = -1;

/**
 * What one combination of labels has seen. It is its histogram, which has no object of its own: of
 * 10,000 routes each is cold, and a request pays for every object that it has to touch.
 */
class Series extends Histogram {
  /** Undefined, as the others, until it has seen anything. */
  listener: string | undefined = undefined;
  service = '';
  method = '';
  status = 0;
  /** The next that the route has seen first. */
  next: Series | undefined = undefined;

  /** Whether it is of this combination, or is from now on. */
  takes(listener: string, service: string, method: string, status: number): boolean {
    if (this.listener === undefined) {
      this.listener = listener;
      this.service = service;
      this.method = method;
      this.status = status;
      return true;
    }
    return (
      this.status === status &&
      this.method === method &&
      this.service === service &&
      this.listener === listener
    );
  }
}

/** A route's cells are the first of its series, and most routes see one combination alone. */
class Cells extends Series implements HeldCells {
  readonly route: string;
  readonly #blocks: HistogramBlocks;
  #limited = 0;
  #holders = 0;
  readonly #onFreed: () => void;

  constructor(route: string, blocks: HistogramBlocks, onFreed: () => void) {
    super(blocks);
    this.route = route;
    this.#blocks = blocks;
    this.#onFreed = onFreed;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  /**
   * An answer that a client still reads may be counted later than its route is let go of; its row is
   * somebody else's by then.
   */
  release(): void {
    if (--this.#holders > 0) return;
    this.#onFreed();
    this.free(this.#blocks);
    for (let one = this.next; one !== undefined; one = one.next) one.free(this.#blocks);
    this.next = undefined;
    this.listener = '';
    this.status = GONE;
  }

  record(listener: string, service: string, method: string, status: number, seconds: number): void {
    const label = METHODS.has(method) ? method : 'other';
    if (this.takes(listener, service, label, status)) this.observe(seconds);
    else this.#another(listener, service, label, status)?.observe(seconds);
  }

  rateLimited(): void {
    this.#limited++;
  }

  get limited(): number {
    return this.#limited;
  }

  /** In the order in which they were first seen. */
  get series(): SeenSeries[] {
    const all: SeenSeries[] = [];
    if (isSeen(this)) all.push(this);
    for (let one = this.next; one !== undefined; one = one.next) {
      if (isSeen(one)) all.push(one);
    }
    return all;
  }

  /** A route sees few combinations, so a walk beats hashing four labels for each request. */
  #another(listener: string, service: string, method: string, status: number): Series | undefined {
    if (this.status === GONE) return undefined;
    let last: Series | undefined;
    for (let one = this.next; one !== undefined; one = one.next) {
      if (one.takes(listener, service, method, status)) return one;
      last = one;
    }
    const added = new Series(this.#blocks);
    added.takes(listener, service, method, status);
    if (last === undefined) this.next = added;
    else last.next = added;
    return added;
  }
}

type SeenSeries = Series & { readonly listener: string };

function isSeen(series: Series): series is SeenSeries {
  return series.listener !== undefined;
}

export function createRequestMetrics(registry: Registry): RequestMetrics {
  const blocks = new HistogramBlocks();
  const cells = new Map<string, Cells>();
  const upstreams = new Map<string, Histogram>();

  publish(registry, {
    name: 'meshgate_requests_total',
    help: 'Exchanges that ended, by listener, route, service, method and status code.',
    type: 'counter',
    samples: () => eachOf(cells.values(), toRequestSamples),
  });
  publish(registry, {
    name: 'meshgate_request_duration_seconds',
    help: 'From the request head to the end of the answer.',
    type: 'histogram',
    distributions: () => eachOf(cells.values(), toDurations),
  });
  publish(registry, {
    name: 'meshgate_rate_limited_total',
    help: 'Exchanges refused by a rate limit.',
    type: 'counter',
    samples: () =>
      eachOf(cells.values(), ({ route, limited }) =>
        limited === 0 ? [] : [{ labels: { route }, value: limited }],
      ),
  });
  publish(registry, {
    name: 'meshgate_upstream_duration_seconds',
    help: 'From sending a try to the head of its answer.',
    type: 'histogram',
    *distributions() {
      for (const [service, histogram] of upstreams) {
        yield { labels: { service }, distribution: toDistribution([histogram]) };
      }
    },
  });

  return {
    cellsOf(route, part) {
      const key = part === undefined ? route : `${route} ${part}`;
      let own = cells.get(key);
      if (own === undefined) {
        own = new Cells(route, blocks, () => cells.delete(key));
        cells.set(key, own);
      }
      return own.hold();
    },
    upstream(service, seconds) {
      let histogram = upstreams.get(service);
      if (histogram === undefined) {
        histogram = new Histogram(blocks);
        upstreams.set(service, histogram);
      }
      histogram.observe(seconds);
    },
    serviceGone(service) {
      upstreams.get(service)?.free(blocks);
      upstreams.delete(service);
    },
  };
}

function toRequestSamples({ route, series }: Cells): Sample[] {
  return series.map(({ listener, service, method, status, count }) => ({
    labels: { listener, route, service, method, code: String(status) },
    value: count,
  }));
}

function toDurations({ route, series }: Cells): LabelledDistribution[] {
  if (series.length === 1) {
    const { service } = series[0]!;
    return [{ labels: { route, service }, distribution: toDistribution(series) }];
  }
  const byService = Map.groupBy(series, ({ service }) => service);
  return Array.from(byService, ([service, ofService]) => ({
    labels: { route, service },
    distribution: toDistribution(ofService),
  }));
}
