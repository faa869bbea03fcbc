/** Files that the configurations of plugins name. */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { definePlugin, type PluginDefinition } from '../../../src/plugins/sdk/define-plugin.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { createFolder, issuesOf, loadText } from './config-file.ts';

const words = definePlugin({
  name: 'words',
  config: Type.Object({ lists: Type.Array(Type.Object({ file: Type.String() })) }),
  stage: 'authorize',
  files: ({ lists }) =>
    lists.map(({ file }, i) => ({
      path: `lists[${i}].file`,
      file,
      check(text) {
        if (text.includes('throw')) throw new Error('of no kind I know');
        return text.trim() === '' ? 'holds no words' : undefined;
      },
    })),
  create: () => ({}),
});
const catalogue = new Map<string, PluginDefinition>([[words.name, words]]);

const text = (...names: string[]): string =>
  `meshgate: 1\nplugins:\n  - words:\n      lists:\n${names.map((name) => `        - file: ${name}\n`).join('')}`;

describe('files that a plugin needs', () => {
  it('are told about at the place that names them', async () => {
    const yaml = text('good', 'none', 'empty', 'folder', 'odd');
    const folder = await createFolder({ 'm.yaml': yaml, good: 'a', empty: ' ', odd: 'throw' });
    await mkdir(join(folder, 'folder'));
    const result = await loadConfig(join(folder, 'm.yaml'), { catalogue, env: {} });
    expect(result).toMatchObject({
      ok: false,
      issues: [
        {
          line: 6,
          column: 17,
          path: 'plugins[0].words.lists[1].file',
          message: `the file ${folder}/none does not exist`,
        },
        { line: 7, message: `${folder}/empty holds no words` },
        { line: 8, message: `${folder}/folder is a folder, not a file` },
        { line: 9, message: expect.stringMatching(/odd cannot be checked.*of no kind I know/) },
      ],
    });
  });

  it.skipIf(process.getuid?.() === 0)('must be readable', async () => {
    const folder = await createFolder({ 'm.yaml': text('secret'), secret: 'a' });
    await chmod(join(folder, 'secret'), 0);
    const result = await loadConfig(join(folder, 'm.yaml'), { catalogue, env: {} });
    expect(result).toMatchObject({
      issues: [{ message: expect.stringMatching(/may not be read by the user/) }],
    });
  });

  it('are accepted where they are good', async () => {
    const result = await loadText(text('a', 'b'), { catalogue, files: { a: 'x', b: 'y' } });
    expect(result.ok).toBe(true);
  });
});

describe('the key set of jwt', () => {
  const jwt = (jwks: string): string =>
    `meshgate: 1\nroutes:\n  - name: a\n    respond: { status: 204 }\n    plugins: [{ jwt: { jwks: ${jwks} } }]\n`;
  const issues = (content: string): Promise<string[]> =>
    issuesOf(jwt('keys.json'), { catalogue: standardPlugins, files: { 'keys.json': content } });

  it('is refused where its file is missing, in either form', async () => {
    for (const [form, place] of [
      ['keys.json', '5:30 routes[0].plugins[0].jwt.jwks'],
      ['{ file: keys.json }', '5:38 routes[0].plugins[0].jwt.jwks.file'],
    ] as const) {
      const [issue, ...others] = await issuesOf(jwt(form), { catalogue: standardPlugins });
      expect(issue).toMatch(/the file \/.*\/keys\.json does not exist$/);
      expect(issue).toContain(`${place}: `);
      expect(others).toEqual([]);
    }
  });

  it.each([
    ['{ "keys": [', /keys\.json is not JSON$/],
    ['[]', /is not a JSON Web Key Set: it has no list `keys`$/],
    ['{ "keys": [] }', /holds no key to verify with$/],
    [
      '{ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }',
      /holds no key.*: keys\[0\]: a shared secret/,
    ],
  ])('is refused where its file holds %s', async (content, message) => {
    expect(await issues(content)).toEqual([expect.stringMatching(message)]);
  });
});
