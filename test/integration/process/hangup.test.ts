import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import {
  createFolder,
  eventually,
  startMeshgate,
  toConfig,
  writeConfig,
} from './gateway-process.ts';
import { startOrigin } from './origin.ts';

// Real processes, which may have to wait for a processor.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

it('SIGHUP reads the configuration again, opens the access log anew, and ends nothing', async () => {
  const origin = await startOrigin();
  const folder = await createFolder();
  const path = join(folder, 'access.log');
  const telemetry = { accessLog: { format: 'json', path } };
  const gateway = await startMeshgate(
    await writeConfig(folder, toConfig(origin.port, { telemetry })),
  );
  await fetch(`${gateway.url}/before`);
  await eventually(async () => ((await readFile(path, 'utf8')) === '' ? undefined : true));
  await rename(path, join(folder, 'access.log.1'));

  gateway.program.signal('SIGHUP');
  await gateway.program.said('stderr', /the configuration is what runs already/);
  await eventually(() =>
    readFile(path, 'utf8')
      .then(() => true)
      .catch(() => undefined),
  );
  expect((await fetch(`${gateway.url}/after`)).status).toBe(200);

  gateway.program.signal('SIGHUP');
  gateway.program.signal('SIGTERM');
  expect(await gateway.program.ended).toEqual({ code: 0, signal: null });
  expect(await readFile(path, 'utf8')).toContain('/after');
  expect(await readFile(join(folder, 'access.log.1'), 'utf8')).toContain('/before');
});
