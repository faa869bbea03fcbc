/** Tables of text in columns. */
import { createPaint, type Paint, type Tone } from './paint.ts';
import { cutTo, widthOf } from './text-width.ts';
import type { VerbIo } from './verb.ts';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Default: left. */
  readonly align?: 'left' | 'right';
  readonly tone?: (row: Row) => Tone | undefined;
}

export interface TableStyle {
  /** What is wider has its longest texts cut. Default: as wide as it comes. */
  readonly width?: number | undefined;
  readonly paint?: Paint | undefined;
}

/** A text is not cut shorter: of less nobody makes anything out. */
const MIN_CUT = 8;
const GAP = 2;
const PLAIN: Paint = (_, text) => text;

/** To standard output, as wide as its terminal. */
export function printTable<Row>(
  { stdout, env }: Pick<VerbIo, 'stdout' | 'env'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const width = stdout.isTTY === true ? stdout.columns || undefined : undefined;
  const lines = toTable(columns, rows, { width, paint: createPaint(stdout, env) });
  stdout.write(`${lines.join('\n')}\n`);
}

/** One line a row, the titles first; no column is padded at the end of a line. */
export function toTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width = Infinity, paint = PLAIN }: TableStyle = {},
): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => toCells(columns, row))];
  const widths = fitted(columns, cells, width);
  return cells.map((line, y) => {
    const row = y === 0 ? undefined : rows[y - 1]!;
    const last = line.findLastIndex((cell) => cell !== '');
    return line
      .slice(0, last + 1)
      .map((cell, i) => {
        const column = columns[i]!;
        const text = cutTo(cell, widths[i]!);
        const pad = ' '.repeat(widths[i]! - widthOf(text));
        const painted = paint(row === undefined ? 'head' : column.tone?.(row), text);
        if (column.align === 'right') return `${pad}${painted}`;
        return i === last ? painted : `${painted}${pad}`;
      })
      .join(' '.repeat(GAP));
  });
}

/** Takes from the widest text columns first, until all fit or none can be any narrower. */
function fitted<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  available: number,
): number[] {
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => widthOf(line[i]!))));
  const least = columns.map(({ title, align }, i) =>
    align === 'right' ? widths[i]! : Math.min(widths[i]!, Math.max(title.length, MIN_CUT)),
  );
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - available;
  while (excess > 0) {
    const widest = widths.reduce(
      (best, width, i) => (width > least[i]! && (best === -1 || width > widths[best]!) ? i : best),
      -1,
    );
    if (widest === -1) break;
    widths[widest]!--;
    excess--;
  }
  return widths;
}

function toCells<Row>(columns: readonly Column<Row>[], row: Row): string[] {
  return columns.map(({ of }) => toPrintable(of(row)));
}

/** Whoever registers an instance names it: no name may steer the terminal of who reads it. */
export function toPrintable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
