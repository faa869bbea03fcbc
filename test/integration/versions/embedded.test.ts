/** The shared configuration of one machine, without Redis. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { startVersionNode } from '../../gateway/config/versions/version-node.ts';
import {
  createFolder,
  runMeshgate,
  startMeshgate,
  writeConfig,
} from '../process/gateway-process.ts';
import { answering, answerOf } from './version-nodes.ts';

it('is kept in the data directory, served after a restart, and what offline verbs look at', async () => {
  const folder = await createFolder();
  const dataDir = join(folder, '.meshgate');
  const directory = join(dataDir, 'backplane');
  const backplane = createEmbeddedBackplane({ directory, clock: CLOCK, log: SILENT });
  await backplane.start();
  const writer = await startVersionNode({ backplane, dataDir });
  await writer.write(answering('embedded'));
  await writer.close();
  await backplane.close();

  const config = {
    meshgate: 1,
    listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
    status: { address: '127.0.0.1:0' },
    admin: { address: '127.0.0.1:0' },
    telemetry: { accessLog: false },
  };
  const file = await writeConfig(folder, config);
  const gateway = await startMeshgate(file, { cwd: folder });
  expect(await answerOf(gateway)).toBe('embedded');
  gateway.program.signal('SIGTERM');
  expect(await gateway.program.ended).toMatchObject({ code: 0 });

  const asked = ['explain', 'GET', 'http://localhost/x', '--config', file];
  const explained = await runMeshgate(asked, { cwd: folder });
  expect(explained.stdout).toContain('all');
  expect(explained.code).toBe(0);
  expect(await runMeshgate(['diff', file], { cwd: folder })).toMatchObject({ code: 0, stdout: '' });
  await writeConfig(folder, { ...config, trustedProxies: ['10.0.0.0/8'] });
  const changed = await runMeshgate(['diff', file], { cwd: folder });
  expect([changed.code, changed.stdout]).toEqual([
    1,
    expect.stringMatching(/^~ trustedProxies.*\n$/),
  ]);
  const taken = await runMeshgate(['diff', file], {
    cwd: folder,
    env: { MESHGATE_CONFIG_KEY: 'nonsense' },
  });
  expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('is no key') as string });
}, 60_000);

it('takes over from a file without a moment in which nothing is served', async () => {
  const folder = await createFolder();
  const own = {
    meshgate: 1,
    listeners: [{ name: 'http', address: '127.0.0.1:0', protocol: 'http' }],
    status: { address: '127.0.0.1:0' },
    admin: { address: '127.0.0.1:0' },
    telemetry: { accessLog: false },
  };
  const file = await writeConfig(folder, { ...own, ...answering('file') });
  const gateway = await startMeshgate(file, { cwd: folder });
  const [, adminUrl] = /admin on (\S+)/.exec(gateway.program.stdout)!;
  const env = { MESHGATE_ADMIN: adminUrl! };
  await writeFile(join(folder, 'shared.yaml'), JSON.stringify(answering('shared')));
  const apply = ['apply', 'shared.yaml', '--yes'];

  const early = await runMeshgate(apply, { cwd: folder, env });
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('take all five out')]);

  await writeConfig(folder, own);
  await gateway.program.said('stderr', /what it had stays in force until then/);
  expect(await answerOf(gateway)).toBe('file');
  expect((await gateway.readiness()).code).toBe(200);
  // Who thinks better of it is where he was.
  await writeConfig(folder, { ...own, ...answering('file') });
  await gateway.program.said('stderr', /the configuration is what runs already/);
  expect(await runMeshgate(apply, { cwd: folder, env })).toMatchObject({ code: 1 });
  await writeConfig(folder, own);
  await gateway.program.said('stderr', /(what it had stays in force until then[^]*){2}/);

  expect(await runMeshgate(apply, { cwd: folder, env })).toMatchObject({ code: 0 });
  await gateway.program.said('stderr', /"version":1,"msg":"configuration applied"/);
  expect(await answerOf(gateway)).toBe('shared');
}, 60_000);
