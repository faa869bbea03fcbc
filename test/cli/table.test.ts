import { describe, expect, it } from 'vitest';
import { printTable, toTable, type Column } from '../../src/cli/table.ts';
import { cutTo, widthOf } from '../../src/cli/text-width.ts';

interface Row {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', of: ({ name }) => name },
  { title: 'COUNT', of: ({ count }) => String(count), align: 'right' },
  { title: 'NOTE', of: ({ note }) => note, tone: ({ note }) => (note === '' ? undefined : 'bad') },
];

const LONG: Row = { name: 'a-rather-long-name', count: 7, note: 'something that goes on and on' };

describe('a table', () => {
  it('is as wide as it comes where nothing bounds it', () => {
    expect(toTable(COLUMNS, [LONG, { name: 'b', count: 1_000_000, note: '' }])).toEqual([
      'NAME                  COUNT  NOTE',
      'a-rather-long-name        7  something that goes on and on',
      'b                   1000000',
    ]);
  });

  it('cuts the longest texts first where it would not fit', () => {
    expect(toTable(COLUMNS, [LONG], { width: 50 })).toEqual([
      'NAME                COUNT  NOTE',
      'a-rather-long-name      7  something that goes on…',
    ]);
    expect(toTable(COLUMNS, [LONG], { width: 30 })).toEqual([
      'NAME        COUNT  NOTE',
      'a-rather-…      7  something …',
    ]);
  });

  it('leaves enough of each to be made out, and numbers whole', () => {
    const [, row] = toTable(COLUMNS, [{ ...LONG, count: 123_456 }], { width: 5 });
    expect(row).toBe('a-rathe…  123456  somethi…');
  });

  it.each(Array.from({ length: 40 }, (_, i) => i + 25))('fits into %i columns', (width) => {
    for (const line of toTable(COLUMNS, [LONG], { width })) {
      expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });

  it('is painted without being moved', () => {
    const paint = (tone: string | undefined, text: string): string => `<${tone ?? ''}|${text}>`;
    const lines = toTable(COLUMNS, [LONG, { name: 'b', count: 1, note: '' }], { paint });
    expect(lines).toEqual([
      '<head|NAME>                <head|COUNT>  <head|NOTE>',
      '<|a-rather-long-name>      <|7>  <bad|something that goes on and on>',
      '<|b>                       <|1>',
    ]);
  });

  it('lines up what is wide', () => {
    const lines = toTable(COLUMNS, [
      { name: '注文', count: 1, note: 'x' },
      { name: 'abcd', count: 1, note: 'x' },
    ]);
    expect(lines.slice(1)).toEqual(['注文      1  x', 'abcd      1  x']);
  });

  it('is as wide as the terminal that it is printed on, and no other', () => {
    const print = (isTTY: boolean): string => {
      let text = '';
      const stdout = { write: (more: string) => (text += more), isTTY, columns: 40 };
      printTable({ stdout, env: { NO_COLOR: '1' } }, COLUMNS, [LONG]);
      return text;
    };
    expect(Math.max(...print(true).split('\n').map(widthOf))).toBe(40);
    expect(print(false)).toContain('something that goes on and on');
  });
});

describe('the width of a text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['ü', 1],
    ['u\u0308', 1],
    ['注文', 4],
    ['🚀', 2],
    ['👩‍💻', 2],
    ['→…', 2],
  ])('of %j is %i', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['abcdef', 1, '…'],
    ['abcdef', 0, ''],
    ['注文注文', 5, '注文…'],
    ['注文注文', 4, '注…'],
  ])('of %j is cut to %i as %j', (text, columns, cut) => {
    expect(cutTo(text, columns)).toBe(cut);
  });
});
