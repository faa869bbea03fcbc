/** Tables of text in columns. */

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Default: left. */
  readonly align?: 'left' | 'right';
}

/** One line a row, the titles first; no column is padded at the end of a line. */
export function toTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => toCells(columns, row))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  return cells.map((line) =>
    line
      .map((cell, i) =>
        columns[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

function toCells<Row>(columns: readonly Column<Row>[], row: Row): string[] {
  return columns.map(({ of }) => toPrintable(of(row)));
}

/** Whoever registers an instance names it: no name may steer the terminal of who reads it. */
export function toPrintable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
