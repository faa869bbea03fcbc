/** Lines that are drawn anew while something is waited for; on a terminal alone. */
import { cutTo } from './text-width.ts';
import type { Output } from './verb.ts';

export interface Progress {
  /** In place of what was shown before. */
  show(lines: readonly string[]): void;
  /** Takes it off the screen. */
  clear(): void;
}

const CLEAR_BELOW = '\u001B[J';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export function createProgress(output: Output): Progress {
  if (output.isTTY !== true) return { show() {}, clear() {} };
  let shown = 0;
  let last = '';
  const back = (): string => (shown === 0 ? '' : `\u001B[${shown}A\r${CLEAR_BELOW}`);
  return {
    show(lines) {
      // What has been scrolled away, or wrapped, could not be taken back.
      const columns = (output.columns || DEFAULT_COLUMNS) - 1;
      const rows = Math.max(1, (output.rows || DEFAULT_ROWS) - 1);
      const kept = lines.length > rows ? lines.slice(0, rows - 1) : lines;
      const more = lines.length - kept.length;
      const all = more === 0 ? kept : [...kept, `… ${more} more`];
      const text = all.map((line) => `${cutTo(line, columns)}\n`).join('');
      if (text === last) return;
      output.write(`${back()}${text}`);
      shown = all.length;
      last = text;
    },
    clear() {
      if (shown > 0) output.write(back());
      shown = 0;
      last = '';
    },
  };
}
