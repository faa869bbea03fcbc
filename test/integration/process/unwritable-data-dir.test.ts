import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createFolder, startMeshgate, toConfig, writeConfig } from './gateway-process.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

it('is told in a line for each thing that cannot be kept, with what helps and without a stack', async () => {
  const folder = await createFolder();
  const dataDir = join(folder, 'data');
  // A file: whoever the test runs as, no folder can be made of it.
  await writeFile(dataDir, '');
  const listeners = [
    { name: 'http', address: '127.0.0.1:0', protocol: 'http' },
    {
      name: 'https',
      address: '127.0.0.1:0',
      protocol: 'https',
      tls: { selfSigned: ['localhost'] },
    },
  ];
  const file = await writeConfig(folder, toConfig(9, { dataDir: './data', listeners }));
  const gateway = await startMeshgate(file);
  expect(gateway.program.stdout).not.toContain('admin on');
  expect((await gateway.readiness()).code).toBe(200);
  gateway.program.signal('SIGTERM');
  expect(await gateway.program.ended).toMatchObject({ code: 0 });

  const lines = gateway.program.stderr.trimEnd().split('\n');
  const told = lines
    .map((line) => JSON.parse(line) as { level: string; reason?: string; msg: string })
    .filter(({ level }) => level !== 'info');
  expect(told.map(({ msg }) => msg).toSorted()).toEqual([
    'the applied configuration could not be kept in the data directory',
    'the development certificate could not be kept',
    'there is no admin token: the admin API is closed',
  ]);
  for (const { reason } of told) {
    expect(reason).toMatch(/^the data directory \/.*\/data cannot be written: .* \(E[A-Z]+\); /);
    expect(reason).toContain('set `dataDir` to a folder that can be');
  }
  expect(gateway.program.stderr).not.toContain('"stack"');
});
