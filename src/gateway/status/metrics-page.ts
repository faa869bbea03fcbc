/** The page that Prometheus reads, written in steps between which requests have their turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { LATENCY_BOUNDS } from '../observe/histogram.ts';
import {
  publishedOf,
  type LabelledDistribution,
  type PublishedMetric,
  type Sample,
} from '../observe/published-metric.ts';
import type { MetricsPage } from './status-server.ts';

export interface MetricsPageOptions {
  readonly monotonic: () => number;
  /** Lets others run; default: a turn of the event loop. */
  readonly pause?: () => Promise<unknown>;
}

/** Longer than this nobody waits for a scrape. */
const PAUSE_AFTER_MS = 2;
/** Series between two looks at the clock. */
const SERIES_A_LOOK = 32;
const PIECE_CHARACTERS = 64 * 1024;
const NEEDS_ESCAPE = /[\\\n"]/;
const BOUNDS = [...LATENCY_BOUNDS.map(String), '+Inf'];

/** Writes a registry as prom-client would, but what is published by ourselves without its detours. */
export function createMetricsPage(
  registry: Registry,
  { monotonic, pause = nextTurn }: MetricsPageOptions,
): MetricsPage {
  let scraping: Promise<Uint8Array> | undefined;

  async function write(): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    let text = '';
    let series = 0;
    let resumedMs = monotonic();
    const rest = async (): Promise<void> => {
      await pause();
      resumedMs = monotonic();
    };
    for (const metric of registry.getMetricsAsArray()) {
      if (text !== '' || pieces.length > 0) text += '\n';
      const published = publishedOf(metric);
      if (published === undefined) {
        text += `${await registry.getSingleMetricAsString(metric.name)}\n`;
      } else {
        for (const lines of toLines(published)) {
          text += lines;
          if (text.length > PIECE_CHARACTERS) {
            pieces.push(Buffer.from(text));
            text = '';
          }
          if (++series % SERIES_A_LOOK === 0 && monotonic() - resumedMs > PAUSE_AFTER_MS)
            await rest();
        }
      }
      if (monotonic() - resumedMs > PAUSE_AFTER_MS) await rest();
    }
    pieces.push(Buffer.from(text));
    return Buffer.concat(pieces);
  }

  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics() {
      scraping ??= write().finally(() => {
        scraping = undefined;
      });
      return scraping;
    },
  };
}

/** What belongs together, such as a histogram's lines, at once. */
function* toLines(published: PublishedMetric): Generator<string> {
  const { name, help, type } = published;
  yield `# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${type}\n`;
  if (published.type === 'histogram') {
    for (const one of published.distributions()) yield toHistogramLines(name, one);
  } else {
    for (const sample of published.samples()) yield toLine(name, sample);
  }
}

function toLine(name: string, { labels, value, metricName = name }: Sample): string {
  const text = toLabelText(labels);
  return `${metricName}${text === '' ? '' : `{${text}}`} ${toValueText(value)}\n`;
}

function toHistogramLines(name: string, { labels, distribution }: LabelledDistribution): string {
  const { sum, cumulative } = distribution;
  const text = toLabelText(labels);
  const own = text === '' ? '' : `{${text}}`;
  const bucket = `${name}_bucket{${text === '' ? '' : `${text},`}le="`;
  let lines = '';
  for (let i = 0; i < cumulative.length; i++) lines += `${bucket}${BOUNDS[i]}"} ${cumulative[i]}\n`;
  return `${lines}${name}_sum${own} ${toValueText(sum)}\n${name}_count${own} ${cumulative.at(-1)}\n`;
}

function toLabelText(labels: Readonly<Record<string, string | number>>): string {
  let text = '';
  for (const key in labels) {
    const value = `${labels[key]}`;
    const shown = NEEDS_ESCAPE.test(value) ? escapeText(value).replaceAll('"', '\\"') : value;
    text += `${text === '' ? '' : ','}${key}="${shown}"`;
  }
  return text;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** As the exposition format has them. */
function toValueText(value: number): string {
  if (Number.isFinite(value)) return `${value}`;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
