/** Configuration files for tests, each in a folder of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { onTestFinished } from 'vitest';
import { toIssueText } from '../../../src/gateway/config/issue.ts';
import {
  loadConfig,
  type Loaded,
  type LoadOptions,
  type LoadResult,
} from '../../../src/gateway/config/load.ts';
import type { PluginCatalogue } from '../../../src/gateway/config/plugin-catalogue.ts';
import { definePlugin, type PluginDefinition } from '../../../src/plugins/sdk/define-plugin.ts';

const tenant = definePlugin({
  name: 'tenant',
  config: Type.Object(
    {
      header: Type.String({ default: 'x-tenant' }),
      from: Type.Union(
        [
          Type.Object({ header: Type.String() }, { additionalProperties: false }),
          Type.Object({ cookie: Type.String() }, { additionalProperties: false }),
          Type.Literal('peer'),
        ],
        { default: 'peer' },
      ),
      allow: Type.Array(Type.String(), { default: [] }),
      secret: Type.Optional(Type.String({ writeOnly: true, minLength: 8 })),
    },
    { additionalProperties: false },
  ),
  stage: 'authorize',
  check: ({ allow }) =>
    allow.flatMap((name, i) =>
      name === 'nobody' ? [{ path: `allow[${i}]`, message: 'nobody is nobody; remove it' }] : [],
    ),
  create: () => ({}),
});

const stamp = definePlugin({
  name: 'stamp',
  config: Type.Object({ value: Type.String() }, { additionalProperties: false }),
  stage: 'shape',
  create: () => ({}),
});

/** Two plugins, so that the tests do not depend on those that come with the program. */
export const catalogue: PluginCatalogue = new Map<string, PluginDefinition>(
  [tenant, stamp].map((plugin) => [plugin.name, plugin]),
);

/** A folder that goes away with the test. */
export async function createFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'meshgate-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

export interface TextOptions extends Partial<LoadOptions> {
  /** Beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function loadText(text: string, options: TextOptions = {}): Promise<LoadResult> {
  const { files = {}, ...rest } = options;
  const folder = await createFolder({ ...files, 'meshgate.yaml': text });
  return loadConfig(join(folder, 'meshgate.yaml'), { catalogue, env: {}, ...rest });
}

/** Fails with the issues where the text is refused. */
export async function acceptText(text: string, options: TextOptions = {}): Promise<Loaded> {
  const result = await loadText(text, options);
  if (!result.ok) throw new Error(result.issues.map(toIssueText).join('\n'));
  return result;
}

/** Each issue as `line:column path: message (hint)`; warnings too. */
export async function issuesOf(text: string, options: TextOptions = {}): Promise<string[]> {
  const result = await loadText(text, options);
  const issues = result.ok ? result.warnings : result.issues;
  return issues.map((issue) => toIssueText({ ...issue, file: '' }).replace(/^:/, ''));
}
