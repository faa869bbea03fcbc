/** The table of errors in the docs is the one of the code. */
import { glob, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_REFERENCE, PLUGIN_CODES } from '../../../config/error-reference.ts';
import { toErrorsPage } from '../../../config/errors-page.ts';

const root = new URL('../../../', import.meta.url);

describe('docs/errors.md', () => {
  it('is what the reference says; run `npm run generate`', async () => {
    expect(await readFile(new URL('docs/errors.md', root), 'utf8')).toBe(toErrorsPage());
  });

  it('has every code of the union', async () => {
    const source = await readFile(new URL('src/errors.ts', root), 'utf8');
    const union = source.slice(
      source.indexOf('type ErrorCode'),
      source.indexOf(';', source.indexOf('type ErrorCode')),
    );
    const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(15);
    expect(Object.keys(ERROR_REFERENCE).sort()).toEqual(codes.sort());
    const page = await readFile(new URL('docs/errors.md', root), 'utf8');
    for (const code of codes) expect(page).toContain(`| \`${code}\` |`);
  });

  it('has every code by which a built-in plugin refuses', async () => {
    const documented = new Set([...Object.keys(ERROR_REFERENCE), ...Object.keys(PLUGIN_CODES)]);
    const used = new Set<string>();
    for await (const file of glob('src/plugins/*/*.ts', {
      cwd: root,
      exclude: ['src/plugins/sdk/**'],
    })) {
      const text = await readFile(new URL(file, root), 'utf8');
      for (const [, code] of text.matchAll(/\bproblem\(\s*[\w.]+,\s*'(\w+)'/g)) used.add(code!);
    }
    expect(used.size).toBeGreaterThan(3);
    expect([...used].filter((code) => !documented.has(code))).toEqual([]);
  });

  it('has every status that the code gives such an error', async () => {
    const stray: string[] = [];
    for await (const file of glob('src/**/*.ts', { cwd: root })) {
      const text = await readFile(new URL(file, root), 'utf8');
      for (const [, code = '', status] of text.matchAll(
        /new MeshgateError\(\s*'(\w+)',\s*\{\s*status: (\d+)/g,
      )) {
        const entry = ERROR_REFERENCE[code as keyof typeof ERROR_REFERENCE];
        const named = Number(status) === entry.status || entry.meaning.includes(status!);
        if (!named) stray.push(`${file}: ${code} ${status}`);
      }
    }
    expect(stray).toEqual([]);
  });
});
