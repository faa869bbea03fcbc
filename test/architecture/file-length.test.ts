/** A file is about one thing: past 300 lines it is about two. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');
const MOST_LINES = 300;

function lengths(): { readonly path: string; readonly lines: number }[] {
  return readdirSync(SRC, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return {
        path: relative(SRC, file),
        lines: readFileSync(file, 'utf8').split('\n').length - 1,
      };
    });
}

it(`no source is longer than ${MOST_LINES} lines`, () => {
  const files = lengths();
  expect(files.length).toBeGreaterThan(100);
  const long = files.filter(({ lines }) => lines > MOST_LINES);
  expect(long).toEqual([]);
});
