import { describe, expect, it } from 'vitest';
import { replaceSection, toMarkdownTable, toPlainTable } from '../../load-tests/report.ts';

const TABLE = [
  ['', 'p50 ms', 'swaps'],
  ['steady', '1.2', '0'],
  ['swapping', '1.6', '15'],
];

describe('the tables of the bench', () => {
  it('are put between the marks of their scenario alone', () => {
    const document =
      'a\n<!-- bench:bare -->\nold\n<!-- /bench:bare -->\nb\n<!-- bench:swap -->\n<!-- /bench:swap -->\n';
    expect(replaceSection(document, 'bare', 'new\n')).toBe(
      'a\n<!-- bench:bare -->\nnew\n<!-- /bench:bare -->\nb\n<!-- bench:swap -->\n<!-- /bench:swap -->\n',
    );
    expect(replaceSection(document, 'swap', 'new\n')).toContain('swap -->\nnew\n<!-- /bench:swap');
  });

  it('are not lost where the document has no place for them', () => {
    expect(() => replaceSection('<!-- bench:bare -->\n', 'bare', 'x')).toThrow('no place for bare');
    expect(() => replaceSection('', 'bare', 'x')).toThrow('no place for bare');
  });

  it('have their figures on the right', () => {
    expect(toMarkdownTable(TABLE)).toBe(
      '|  | p50 ms | swaps |\n| --- | ---: | ---: |\n| steady | 1.2 | 0 |\n| swapping | 1.6 | 15 |\n',
    );
    expect(toPlainTable(TABLE)).toBe(
      '          p50 ms  swaps\nsteady       1.2      0\nswapping     1.6     15',
    );
    expect(toMarkdownTable([])).toBe('');
    expect(toPlainTable([])).toBe('');
  });
});
