/** Writes figures as Prometheus reads them, straight into bytes: what is asked for every few seconds leaves little garbage. */
import { LATENCY_BOUNDS, type Distribution } from './histogram.ts';

export type Labels = Readonly<Record<string, string | number>>;

const FIRST_BYTES = 64 * 1024;
/** Of UTF-8, for a unit of a string's length. */
const BYTES_A_UNIT = 3;
/** No number takes more. */
const NUMBER_BYTES = 24;
const NEWLINE = 10;
const ZERO = 48;
const NEEDS_ESCAPE = /[\\\n"]/;
const BOUND_ENDS = [...LATENCY_BOUNDS.map(String), '+Inf'].map((bound) =>
  Buffer.from(`${bound}"} `),
);
const BOUND_END_BYTES = Math.max(...BOUND_ENDS.map(({ length }) => length));

export class ExpositionWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #used = 0;

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#used;
  }

  /** What was written since the last time; the writer has done with it. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#used = 0;
    return taken;
  }

  /** As it is. */
  text(text: string): void {
    this.#reserve(text.length * BYTES_A_UNIT);
    this.#append(text);
  }

  head({
    name,
    help,
    type,
  }: {
    readonly name: string;
    readonly help: string;
    readonly type: string;
  }): void {
    this.text(`# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${type}\n`);
  }

  sample(name: string, labels: Labels, value: number): void {
    this.text(`${toSeries(name, toLabelText(labels))} ${toValueText(value)}\n`);
  }

  /** 15 of its 17 lines begin alike: that is made once, and copied. */
  histogram(name: string, labels: Labels, { sum, cumulative }: Distribution): void {
    const text = toLabelText(labels);
    const start = `${name}_bucket{${text}${text === '' ? '' : ','}le="`;
    this.#reserve(
      cumulative.length * (start.length * BYTES_A_UNIT + BOUND_END_BYTES + NUMBER_BYTES + 1),
    );
    const from = this.#used;
    this.#append(start);
    const to = this.#used;
    for (let i = 0; i < cumulative.length; i++) {
      if (i > 0) {
        this.#bytes.copyWithin(this.#used, from, to);
        this.#used += to - from;
      }
      const end = BOUND_ENDS[i]!;
      this.#bytes.set(end, this.#used);
      this.#used += end.length;
      this.#count(cumulative[i]!);
      this.#bytes[this.#used++] = NEWLINE;
    }
    const total = toValueText(cumulative.at(-1)!);
    const sumLine = `${toSeries(`${name}_sum`, text)} ${toValueText(sum)}\n`;
    this.text(`${sumLine}${toSeries(`${name}_count`, text)} ${total}\n`);
  }

  #reserve(bytes: number): void {
    const wanted = this.#used + bytes;
    if (wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }

  #append(text: string): void {
    this.#used += this.#bytes.write(text, this.#used);
  }

  /** A string for each count would be most of the garbage. */
  #count(count: number): void {
    if (count !== count >>> 0) return this.#append(toValueText(count));
    let digits = 1;
    for (let left = count; left > 9; left = (left / 10) | 0) digits++;
    let at = (this.#used += digits);
    for (let left = count; digits > 0; digits--) {
      const tens = (left / 10) | 0;
      this.#bytes[--at] = ZERO + left - tens * 10;
      left = tens;
    }
  }
}

function toSeries(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`;
}

/** The text between the braces. */
function toLabelText(labels: Labels): string {
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
