/** A metric's figures as they go from process to process, and as Prometheus reads them. */
import { LATENCY_BOUNDS } from '../../observe/histogram.ts';
import type { Aggregator } from '../../observe/published-metric.ts';

export interface FamilyHead {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: Aggregator;
  /**
   * Figures of one series: 1, or `HISTOGRAM_WIDTH`, for one of ours: the cumulative counts and the
   * sum, in one series where Prometheus has 17.
   */
  readonly width: number;
}

/** Some series of a family. */
export interface FamilyPart extends FamilyHead {
  /** As Prometheus writes them; of a histogram of ours the labels alone. */
  readonly series: readonly string[];
  /** Those of each series in turn. */
  readonly values: Float64Array;
}

/** To a worker: tell what you have. */
export type MetricsAsk = 'tell';

/** From a worker: all it has, in as many messages as it takes. */
export interface MetricsPart {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly families: readonly FamilyPart[];
}

/** Handled in one go: some 0.6 ms of work. */
export const SERIES_A_PIECE = 250;

export const HISTOGRAM_WIDTH = LATENCY_BOUNDS.length + 2;

const SUFFIXES = [...LATENCY_BOUNDS.map(String), '+Inf'].map((bound) => `le="${bound}"`);

/** The text between the braces. */
export function toLabelText(labels: Readonly<Record<string, string | number>>): string {
  let text = '';
  for (const name in labels) {
    if (text !== '') text += ',';
    text += `${name}="${escape(labels[name]!)}"`;
  }
  return text;
}

export function toSeries(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`;
}

/** Almost no label has anything to escape, and a search costs less than to replace. */
const ESCAPED = /[\\\n"]/;

function escape(value: string | number): string {
  const text = String(value);
  if (!ESCAPED.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

export function toHead({ name, help, type }: FamilyHead): string {
  const explained = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${name} ${explained}\n# TYPE ${name} ${type}\n`;
}

/** The lines of one series; `valueAt` is asked for each of its figures. */
export function toLines(
  { name, width }: FamilyHead,
  series: string,
  valueAt: (i: number) => number,
): string {
  if (width === 1) return `${series} ${toValueText(valueAt(0))}\n`;
  let lines = '';
  const before = series === '' ? `${name}_bucket{` : `${name}_bucket{${series},`;
  for (let i = 0; i < SUFFIXES.length; i++) {
    lines += `${before}${SUFFIXES[i]}} ${toValueText(valueAt(i))}\n`;
  }
  const total = toValueText(valueAt(SUFFIXES.length - 1));
  lines += `${toSeries(`${name}_sum`, series)} ${toValueText(valueAt(SUFFIXES.length))}\n`;
  return `${lines}${toSeries(`${name}_count`, series)} ${total}\n`;
}

function toValueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
