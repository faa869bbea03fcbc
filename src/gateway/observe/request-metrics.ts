/** Counters and histograms of exchanges, kept in plain cells and published to prom-client when scraped. */
import type { Registry } from 'prom-client';
import { Histogram } from './histogram.ts';
import { publish, toHistogramSamples, type Sample } from './published-metric.ts';

/** The cells of one route; a route keeps its own through reloads. */
export interface RouteCells {
  /** `service` is empty where none was called; `seconds` is the whole exchange. */
  record(listener: string, service: string, method: string, status: number, seconds: number): void;
  rateLimited(): void;
}

export interface RequestMetrics {
  /** `part`: of a route whose cells would become many, such as one with a service for each host. */
  cellsOf(route: string, part?: string): RouteCells;
  /** Time to the upstream's head. */
  upstream(service: string, seconds: number): void;
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

interface Count {
  readonly listener: string;
  readonly service: string;
  readonly method: string;
  readonly status: number;
  total: number;
}

class Cells implements RouteCells {
  readonly route: string;
  /** A route sees few combinations, so a scan beats hashing four labels for each request. */
  readonly counts: Count[] = [];
  readonly durations: { readonly service: string; readonly histogram: Histogram }[] = [];
  limited = 0;

  constructor(route: string) {
    this.route = route;
  }

  record(listener: string, service: string, method: string, status: number, seconds: number): void {
    this.#count(listener, service, METHODS.has(method) ? method : 'other', status).total++;
    this.#duration(service).observe(seconds);
  }

  rateLimited(): void {
    this.limited++;
  }

  #count(listener: string, service: string, method: string, status: number): Count {
    for (const count of this.counts) {
      if (
        count.status === status &&
        count.method === method &&
        count.service === service &&
        count.listener === listener
      ) {
        return count;
      }
    }
    const added: Count = { listener, service, method, status, total: 0 };
    this.counts.push(added);
    return added;
  }

  #duration(service: string): Histogram {
    for (const entry of this.durations) if (entry.service === service) return entry.histogram;
    const histogram = new Histogram();
    this.durations.push({ service, histogram });
    return histogram;
  }
}

export function createRequestMetrics(registry: Registry): RequestMetrics {
  const cells = new Map<string, Cells>();
  const upstreams = new Map<string, Histogram>();

  publish(registry, {
    name: 'meshgate_requests_total',
    help: 'Exchanges that ended, by listener, route, service, method and status code.',
    type: 'counter',
    samples: () => samplesOf(cells, toRequestSamples),
  });
  publish(registry, {
    name: 'meshgate_request_duration_seconds',
    help: 'From the request head to the end of the answer.',
    type: 'histogram',
    samples: () =>
      samplesOf(cells, (route, { durations }) =>
        durations.flatMap(({ service, histogram }) =>
          toHistogramSamples('meshgate_request_duration_seconds', { route, service }, histogram),
        ),
      ),
  });
  publish(registry, {
    name: 'meshgate_rate_limited_total',
    help: 'Exchanges refused by a rate limit.',
    type: 'counter',
    samples: () =>
      samplesOf(cells, (route, { limited }) =>
        limited === 0 ? [] : [{ labels: { route }, value: limited }],
      ),
  });
  publish(registry, {
    name: 'meshgate_upstream_duration_seconds',
    help: 'From sending a try to the head of its answer.',
    type: 'histogram',
    samples: () =>
      [...upstreams].flatMap(([service, histogram]) =>
        toHistogramSamples('meshgate_upstream_duration_seconds', { service }, histogram),
      ),
  });

  return {
    cellsOf(route, part) {
      const key = part === undefined ? route : `${route} ${part}`;
      let own = cells.get(key);
      if (own === undefined) {
        own = new Cells(route);
        cells.set(key, own);
      }
      return own;
    },
    upstream(service, seconds) {
      let histogram = upstreams.get(service);
      if (histogram === undefined) {
        histogram = new Histogram();
        upstreams.set(service, histogram);
      }
      histogram.observe(seconds);
    },
  };
}

function samplesOf(
  cells: ReadonlyMap<string, Cells>,
  toSamples: (route: string, cells: Cells) => readonly Sample[],
): Sample[] {
  const samples: Sample[] = [];
  for (const own of cells.values()) samples.push(...toSamples(own.route, own));
  return samples;
}

function toRequestSamples(route: string, { counts }: Cells): Sample[] {
  return counts.map(({ listener, service, method, status, total }) => ({
    labels: { listener, route, service, method, code: String(status) },
    value: total,
  }));
}
