import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Fleet } from '../../../src/cli/status.ts';
import { freePort } from '../../redis/free-port.ts';
import {
  createFolder,
  runMeshgate,
  startMeshgate,
  toConfig,
  writeConfig,
} from './gateway-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

describe('meshgate status, of a node that runs', () => {
  it('ends with 0 while all is well, and with 1 once a configuration was refused', async () => {
    const cwd = await createFolder();
    const port = await freePort();
    const config = {
      ...toConfig(1, { admin: { address: `127.0.0.1:${port}` } }),
      node: { name: 'edge-1' },
    };
    const file = await writeConfig(cwd, config);
    const gateway = await startMeshgate(file);
    // With the token of the data directory, which is below this one.
    const env = { MESHGATE_ADMIN: `http://127.0.0.1:${port}` };
    expect((await readFile(join(cwd, '.meshgate', 'admin-token'), 'utf8')).trim()).toMatch(/^mg_/);

    const well = await runMeshgate(['status', '--json'], { cwd, env });
    expect([well.code, well.stderr]).toEqual([0, '']);
    expect(JSON.parse(well.stdout)).toMatchObject({
      well: true,
      problems: [],
      node: {
        node: 'edge-1',
        state: 'ready',
        configuration: { owner: 'file', revision: 1, last_reload: { successful: true } },
        backplane: { kind: 'embedded', connected: true },
      },
      configuration: { owner: 'file', newest: null },
      nodes: [{ name: 'edge-1' }],
    });

    await writeFile(file, JSON.stringify({ ...config, routes: [{ name: 'a', to: 'nowhere' }] }));
    await gateway.reloaded(({ last_reload: last }) => !last.successful);
    const bad = await runMeshgate(['status', '--json'], { cwd, env });
    expect(bad.code).toBe(1);
    const fleet = JSON.parse(bad.stdout) as Fleet & { readonly problems: readonly string[] };
    expect(fleet.problems).toEqual(['edge-1 refused its configuration, and runs the one before']);
    expect(fleet.node.configuration.last_reload!.errors.join('\n')).toContain('nowhere');
  });
});
