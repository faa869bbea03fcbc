import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toIssueText } from '../../../../src/gateway/config/issue.ts';
import { loadConfig, type LoadResult } from '../../../../src/gateway/config/load.ts';
import { loadConfigInThread } from '../../../../src/gateway/config/load-in-thread.ts';
import {
  parseSharedDocument,
  toCanonicalJson,
} from '../../../../src/gateway/config/versions/shared-document.ts';
import { catalogue, createFolder } from '../config-file.ts';

interface Setting {
  readonly file?: string;
  readonly shared?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Called with the folder before anything is read. */
  readonly prepare?: (folder: string) => Promise<unknown>;
}

const ROUTE = { name: 'a', match: [{ path: '/*' }], to: 's' };
const SHARED = { services: { s: { discover: { mesh: 's' } } }, routes: [ROUTE] };

function toPart(value: object): { name: string; json: string } {
  const parsed = parseSharedDocument(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { name: 'version 7', json: toCanonicalJson(parsed.document) };
}

async function load({
  file = 'meshgate: 1\n',
  shared = SHARED,
  ...rest
}: Setting): Promise<LoadResult> {
  const { env = {}, files = {}, prepare } = rest;
  const folder = await createFolder({ ...files, 'meshgate.yaml': file });
  await prepare?.(folder);
  return loadConfig(join(folder, 'meshgate.yaml'), { catalogue, env, shared: toPart(shared) });
}

async function issuesOf(setting: Setting): Promise<string[]> {
  const result = await load(setting);
  return (result.ok ? result.warnings : result.issues).map(toIssueText);
}

describe('a configuration of a file and a shared part', () => {
  it('is what one file with all of it would be', async () => {
    const file = 'meshgate: 1\nnode: { name: n }\n';
    const both = await load({ file });
    // JSON is YAML.
    const one = await load({
      file: JSON.stringify({ meshgate: 1, node: { name: 'n' }, ...SHARED }),
    });
    expect(both.ok && one.ok && both.config.routes).toEqual(one.ok && one.config.routes);
    expect(both.ok && both.owner).toBe('backplane');
    expect(one.ok && one.owner).toBe('file');
    expect(both.ok && both.config.services[0]?.name).toBe('s');
  });

  it('is the file alone where that has any of the shared part', async () => {
    const result = await load({ file: 'meshgate: 1\nroutes: []\n' });
    expect(result.ok && [result.owner, result.config.routes, result.config.services]).toEqual([
      'file',
      [],
      [],
    ]);
  });

  it('has another hash where the shared part is another', async () => {
    const one = await load({});
    const other = await load({ shared: { ...SHARED, routes: [{ ...ROUTE, timeout: '3s' }] } });
    expect(one.ok && other.ok && one.hash !== other.hash).toBe(true);
  });

  it('is refused with places in the text that people see of the version', async () => {
    const match = [{ path: '/b' }];
    const routes = [
      ROUTE,
      { name: 'b', match, to: 'nowhere' },
      { name: 'c', match: [{ path: '/c' }], nmae: 'd', to: 's' },
    ];
    const issues = await issuesOf({
      file: 'meshgate: 1\nstatus: { adress: x }\n',
      shared: { ...SHARED, routes },
    });
    expect(issues[0]).toMatch(/meshgate\.yaml:2:11 status\.adress: /);
    // As `toSharedYaml` writes it.
    expect(issues[1]).toMatch(/^version 7:14:9 routes\[1\]\.to: .*nowhere/);
    expect(issues[2]).toMatch(/^version 7:18:5 routes\[2\]\.nmae: /);
  });

  it('substitutes by the environment of the node, and never shows what it put in', async () => {
    const shared = {
      ...SHARED,
      plugins: [
        { tenant: { secret: '${SECRET}', header: '$${plain}' } },
        { stamp: { value: '${NAME:-x}' } },
      ],
    };
    const result = await load({ shared, env: { SECRET: 'hunter2hunter2' } });
    expect(result.ok && result.config.plugins.map(({ config }) => config)).toMatchObject([
      { secret: 'hunter2hunter2', header: '${plain}' },
      { value: 'x' },
    ]);
    expect(result.ok && result.config.redactions).toContainEqual({
      path: 'plugins[0].config.secret',
      text: '${SECRET}',
    });
    const short = await issuesOf({ shared, env: { SECRET: 'hunter2' } });
    expect(short.join()).toContain('plugins[0].tenant.secret');
    expect(short.join()).not.toContain('hunter2');
    expect(await issuesOf({ shared })).toEqual([
      expect.stringMatching(
        /^version 7:\d+:\d+ plugins\[0\]\.tenant\.secret: the environment variable SECRET is not set/,
      ),
    ]);
  });

  it('may use files that were put there for it, and watches them', async () => {
    const shared = { ...SHARED, plugins: [{ stamp: { value: '${file:secrets/a}' } }] };
    const prepare = async (folder: string): Promise<void> => {
      await mkdir(join(folder, 'secrets'));
      await writeFile(join(folder, 'secrets', 'a'), 'from the file\n');
    };
    const result = await load({ shared, prepare });
    expect(result.ok && result.config.plugins[0]?.config).toEqual({ value: 'from the file' });
    expect(result.files.map((file) => file.split('/').slice(-2).join('/'))).toContain('secrets/a');
  });

  it.each([
    ['${MESHGATE_CONFIG_KEY}', /MESHGATE_CONFIG_KEY is the node's own/],
    ['${MESHGATE_TOKEN:-x}', /MESHGATE_TOKEN is the node's own/],
    ['${file:/etc/passwd}', /in \/run\/secrets, and in the folder secrets/],
    ['${file:meshgate.yaml}', /alone$/],
    ['${file:secrets/../meshgate.yaml}', /alone$/],
    ['${file:.meshgate/admin-token}', /alone$/],
    ['${file:/proc/self/environ}', /alone$/],
    ['${file:secrets/link}', /alone$/],
    ['${file:secrets/key}', /node's own/],
    ['${file:secrets/data/admin-token}', /node's own/],
    ['${file:/run/secrets/kubernetes.io/serviceaccount/token}', /node's own/],
  ])('may not use %s', async (value, message) => {
    const shared = { ...SHARED, plugins: [{ stamp: { value } }] };
    const prepare = async (folder: string): Promise<void> => {
      await mkdir(join(folder, 'secrets'));
      await symlink('/etc/passwd', join(folder, 'secrets', 'link'));
    };
    const file = value.includes('data/')
      ? 'meshgate: 1\ndataDir: ./secrets/data\n'
      : 'meshgate: 1\n';
    const env = { MESHGATE_CONFIG_KEY: 'x', MESHGATE_CONFIG_KEY_FILE: './secrets/key' };
    const issues = await issuesOf({ shared, prepare, file, env });
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatch(message);
  });

  it('gives a node proxy the services alone', async () => {
    const file = 'meshgate: 1\noutbound: { address: "127.0.0.1:4140" }\n';
    const shared = { ...SHARED, routes: [{ ...ROUTE, listeners: ['https'] }] };
    const result = await load({ file, shared });
    expect(result.ok && [result.config.services.length, result.config.routes]).toEqual([1, []]);
  });

  it('is the same when it is loaded in a thread, from a text too', async () => {
    const folder = await createFolder({ 'meshgate.yaml': 'meshgate: 1\n' });
    const file = join(folder, 'meshgate.yaml');
    const module = new URL('../../../../src/plugins/standard.ts', import.meta.url);
    const { standardPlugins } = await import('../../../../src/plugins/standard.ts');
    const options = { env: {}, shared: toPart(SHARED), text: 'meshgate: 1\nnode: { name: t }\n' };
    const here = await loadConfig(file, { ...options, catalogue: standardPlugins });
    const there = await loadConfigInThread(file, {
      ...options,
      catalogue: { module, name: 'standardPlugins' },
    });
    expect(there).toEqual(here);
    expect(there.ok && [there.config.node.name, there.config.routes.length]).toEqual(['t', 1]);
  });
});
