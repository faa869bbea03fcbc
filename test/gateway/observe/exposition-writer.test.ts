/** What is written is what prom-client would write. */
import { array, assert, double, nat, oneof, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpositionWriter } from '../../../src/gateway/observe/exposition-writer.ts';
import { LATENCY_BOUNDS } from '../../../src/gateway/observe/histogram.ts';

const COUNTS = LATENCY_BOUNDS.length + 1;

function textOf(write: (writer: ExpositionWriter) => void): string {
  const writer = new ExpositionWriter();
  write(writer);
  return writer.take().toString();
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

describe('the exposition writer', () => {
  it('writes histograms of any labels and counts', () => {
    const count = oneof(
      nat(),
      nat(1_000),
      nat({ max: 0xff_ff_ff_ff }),
      nat(Number.MAX_SAFE_INTEGER),
    );
    const one = record({
      route: string({ unit: 'grapheme' }),
      sum: double({ min: 0, noNaN: true }),
      cumulative: array(count, { minLength: COUNTS, maxLength: COUNTS }),
    });
    assert(
      property(array(one), (all) => {
        const wanted = all.flatMap(({ route, sum, cumulative }) => {
          const labels = `route="${escape(route)}"`;
          return [
            ...cumulative.map(
              (value, i) => `h_bucket{${labels},le="${LATENCY_BOUNDS[i] ?? '+Inf'}"} ${value}\n`,
            ),
            `h_sum{${labels}} ${sum === Infinity ? '+Inf' : sum}\n`,
            `h_count{${labels}} ${cumulative.at(-1)}\n`,
          ];
        });
        const text = textOf((writer) => {
          for (const { route, ...seen } of all) writer.histogram('h', { route }, seen);
        });
        expect(text).toBe(wanted.join(''));
      }),
    );
  });

  it('writes a histogram without labels', () => {
    const cumulative = Array.from({ length: COUNTS }, (_, i) => i);
    const lines = textOf((writer) => writer.histogram('h', {}, { sum: 1.5, cumulative })).split(
      '\n',
    );
    expect(lines[0]).toBe('h_bucket{le="0.001"} 0');
    expect(lines.slice(-4)).toEqual(['h_bucket{le="+Inf"} 14', 'h_sum 1.5', 'h_count 14', '']);
  });

  it('makes room for a label of any length', () => {
    const long = 'ö'.repeat(100_000);
    const cumulative = Array.from({ length: COUNTS }, () => 7);
    const text = textOf((writer) => {
      writer.sample('before', {}, 1);
      writer.histogram('h', { long }, { sum: 1, cumulative });
      writer.sample('after', { long }, NaN);
    });
    expect(text.startsWith(`before 1\nh_bucket{long="${long}",le="0.001"} 7\n`)).toBe(true);
    expect(text.endsWith(`h_count{long="${long}"} 7\nafter{long="${long}"} NaN\n`)).toBe(true);
    expect(text.match(/ö/g)).toHaveLength((COUNTS + 3) * long.length);
  });

  it('hands over each byte once', () => {
    const writer = new ExpositionWriter();
    writer.head({ name: 'm', help: 'Two\nlines.', type: 'counter' });
    const first = writer.take();
    expect(writer).toHaveLength(0);
    writer.sample('m', { a: 'b', n: 2 }, -Infinity);
    expect(first.toString()).toBe('# HELP m Two\\nlines.\n# TYPE m counter\n');
    expect(writer.take().toString()).toBe('m{a="b",n="2"} -Inf\n');
  });
});
