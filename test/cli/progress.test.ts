import { describe, expect, it } from 'vitest';
import { createProgress } from '../../src/cli/progress.ts';

function open(isTTY: boolean, size: { columns?: number; rows?: number } = {}) {
  const output = { written: '', isTTY, ...size, write: (text: string) => (output.written += text) };
  return output;
}

describe('progress', () => {
  it('is drawn in place of what was there, and taken away', () => {
    const output = open(true, { columns: 20, rows: 10 });
    const progress = createProgress(output);
    progress.show(['a', 'b']);
    progress.show(['a', 'b']);
    expect(output.written).toBe('a\nb\n');
    progress.show(['c']);
    progress.clear();
    expect(output.written).toBe('a\nb\n\u001B[2A\r\u001B[Jc\n\u001B[1A\r\u001B[J');
    progress.clear();
    expect(output.written.endsWith('c\n\u001B[1A\r\u001B[J')).toBe(true);
  });

  it('has no line that wraps, and none that scrolls away', () => {
    const output = open(true, { columns: 6, rows: 4 });
    createProgress(output).show(['abcdefgh', 'b', 'c', 'd', 'e']);
    expect(output.written).toBe('abcd…\nb\n… 3 …\n');
  });

  it('is not there where there is no terminal', () => {
    const output = open(false);
    const progress = createProgress(output);
    progress.show(['a']);
    progress.clear();
    expect(output.written).toBe('');
  });
});
