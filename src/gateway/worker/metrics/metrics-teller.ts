/** A worker's side of metrics: tells its supervisor what it has counted, in pieces between which it serves. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { Log } from '../../../plugins/sdk/plugin-context.ts';
import type { Aggregator } from '../../observe/published-metric.ts';
import type { Link } from '../link.ts';
import {
  SERIES_A_PIECE,
  type FamilyPart,
  type MetricsAsk,
  type MetricsPart,
} from './metric-family.ts';
import { readFamilies } from './read-families.ts';

export interface MetricsTellerOptions {
  readonly registry: Registry;
  readonly link: Link<MetricsPart, MetricsAsk>;
  readonly log: Log;
  /** Lets others run; default: a turn of the event loop. */
  readonly pause?: () => Promise<unknown>;
}

export interface MetricsTeller {
  /** To be called when nothing more will be counted; resolves when all is sent. */
  tellLast(): Promise<void>;
}

/** What is of the node its supervisor has by itself. */
const NOT_OF_WORKERS: ReadonlySet<Aggregator> = new Set<Aggregator>(['first', 'omit']);

export function createMetricsTeller(options: MetricsTellerOptions): MetricsTeller {
  const { registry, link, log, pause = nextTurn } = options;
  const onUnread = (metric: string, error: unknown): void =>
    log.warn({ err: error, metric }, 'a metric could not be read');
  /** The telling that is under way; the next begins when it has ended. */
  let telling = Promise.resolve();

  async function tell(): Promise<void> {
    let isFirst = true;
    let families: FamilyPart[] = [];
    let series = 0;
    const send = (isLast: boolean): void => {
      link.send({ isFirst, isLast, families });
      isFirst = false;
      families = [];
      series = 0;
    };
    for await (const part of readFamilies(registry, { without: NOT_OF_WORKERS, onUnread })) {
      families.push(part);
      series += part.series.length;
      if (series < SERIES_A_PIECE) continue;
      send(false);
      await pause();
    }
    send(true);
  }

  function tellNext(): Promise<void> {
    telling = telling.then(tell).catch((error: unknown) => {
      // The channel is closed: nobody is there to be told.
      log.debug({ err: error }, 'the metrics could not be told');
    });
    return telling;
  }

  link.receive(() => void tellNext());
  return { tellLast: tellNext };
}
