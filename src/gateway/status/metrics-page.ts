/** The page that Prometheus reads, written in steps between which requests have their turn. */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { ExpositionWriter } from '../observe/exposition-writer.ts';
import {
  publishedOf,
  type LabelledDistribution,
  type Sample,
} from '../observe/published-metric.ts';
import type { MetricsPage } from './status-server.ts';

export interface MetricsPageOptions {
  readonly monotonic: () => number;
  /** Lets others run; default: a turn of the event loop. */
  readonly pause?: () => Promise<unknown>;
}

/** A request has four turns or so on its way, and waits this long at each while a page is written. */
const PAUSE_AFTER_MS = 0.5;
/** Series between two looks at the clock: histograms take some 3 µs each, what has no series less. */
const SERIES_A_LOOK = 16;
/** Kept below what a writer has room for, so that it seldom has to make more. */
const PIECE_BYTES = 60 * 1024;

/**
 * Writes a registry as prom-client would, but what is published by ourselves without its detours.
 * Pieces go to the reader as they are made, and no faster than it takes them.
 */
export function createMetricsPage(
  registry: Registry,
  { monotonic, pause = nextTurn }: MetricsPageOptions,
): MetricsPage {
  /** Pages that are read at the same time share the turns: each has to wait for the pauses of all. */
  let paused: Promise<unknown> = Promise.resolve();

  async function* write(): AsyncGenerator<Buffer> {
    const writer = new ExpositionWriter();
    let isFirst = true;
    let resumedMs = monotonic();
    const rest = async (): Promise<void> => {
      paused = paused.then(pause);
      await paused;
      resumedMs = monotonic();
    };
    for (const metric of registry.getMetricsAsArray()) {
      if (!isFirst) writer.text('\n');
      isFirst = false;
      const published = publishedOf(metric);
      if (published === undefined) {
        writer.text(`${await registry.getSingleMetricAsString(metric.name)}\n`);
        if (monotonic() - resumedMs > PAUSE_AFTER_MS) await rest();
        continue;
      }
      let untilLook = SERIES_A_LOOK;
      writer.head(published);
      const figures =
        published.type === 'histogram' ? published.distributions() : published.samples();
      for (const one of figures) {
        if (one !== undefined) writeSeries(writer, metric.name, one);
        if (writer.length > PIECE_BYTES) {
          yield writer.take();
          // Sending takes its time as well.
          await rest();
        } else if (--untilLook === 0) {
          untilLook = SERIES_A_LOOK;
          if (monotonic() - resumedMs > PAUSE_AFTER_MS) await rest();
        }
      }
    }
    yield writer.take();
  }

  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics: () => Promise.resolve(Readable.from(write(), { objectMode: false })),
  };
}

function writeSeries(
  writer: ExpositionWriter,
  name: string,
  one: Sample | LabelledDistribution,
): void {
  if ('distribution' in one) writer.histogram(name, one.labels, one.distribution);
  else writer.sample(one.metricName ?? name, one.labels, one.value);
}
