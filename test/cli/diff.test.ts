import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diff } from '../../src/cli/diff.ts';
import { saveLastGood } from '../../src/gateway/config/last-good.ts';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';
import { createFolder } from '../gateway/config/config-file.ts';
import { runVerb } from './verb-run.ts';

const OLD = 'meshgate: 1\nroutes: [{ name: a, respond: {}, timeout: 1s }]\n';
const NEW = 'meshgate: 1\nroutes: [{ name: a, respond: {}, timeout: 2s }]\n';

async function apply(folder: string, file: string): Promise<void> {
  const result = await loadConfig(join(folder, file), { catalogue: standardPlugins, env: {} });
  if (!result.ok) throw new Error('refused');
  await saveLastGood(result.config.dataDir, { hash: result.hash, config: result.config });
}

describe('meshgate diff', () => {
  it('compares with what was applied last', async () => {
    const folder = await createFolder({ 'old.yaml': OLD, 'new.yaml': NEW });
    await apply(folder, 'old.yaml');
    expect(await runVerb(diff, ['old.yaml'], folder)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await runVerb(diff, ['new.yaml'], folder)).toEqual({
      code: 1,
      stdout: '~ routes.a.timeout: "1s" → "2s"\n',
      stderr: '',
    });
  });

  it('compares with another file, as JSON where it is asked to', async () => {
    const folder = await createFolder({ 'old.yaml': OLD, 'new.yaml': NEW });
    const argv = ['new.yaml', '--against', 'old.yaml', '--json'];
    const { code, stdout } = await runVerb(diff, argv, folder);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'changed', path: 'routes.a.timeout', before: '1s', after: '2s' },
    ]);
  });

  it('ends with 2 where nothing was applied, a file is bad or none is given', async () => {
    const folder = await createFolder({ 'new.yaml': NEW, 'bad.yaml': 'meshgate: 2\n' });
    for (const [argv, reason] of [
      [['new.yaml'], /no node has applied a configuration/],
      [['bad.yaml'], /bad\.yaml:1:11 meshgate: 2 is not allowed/],
      [['new.yaml', '--against', 'bad.yaml'], /bad\.yaml:1:11/],
      [[], /meshgate diff FILE/],
    ] as const) {
      const { code, stderr } = await runVerb(diff, [...argv], folder);
      expect(code).toBe(2);
      expect(stderr).toMatch(reason);
    }
  });
});
