/** A process that cannot keep up says so at once, and to those who may ask again. */
import { readFile } from 'node:fs/promises';
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

it('sheds requests while its event loop is late, keeps its probes up, and serves again after', async () => {
  const origin = await startOrigin();
  const folder = await createFolder();
  const path = join(folder, 'access.log');
  const config = toConfig(origin.port, { telemetry: { accessLog: { format: 'json', path } } });
  const gateway = await startMeshgate(await writeConfig(folder, config), {
    preload: join(import.meta.dirname, 'late-loop.ts'),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ask = (): Promise<Response> => fetch(`${gateway.url}/`);
  const untilAnswered = (status: number): Promise<Response> =>
    eventually(async () => {
      const answer = await ask();
      if (answer.status === status) return answer;
      await answer.body?.cancel();
      return undefined;
    });
  await untilAnswered(200);

  gateway.program.child.send('be late');
  const shed = await untilAnswered(503);
  expect(shed.headers.get('retry-after')).toBe('1');
  expect(await shed.json()).toMatchObject({ code: 'overloaded', source: 'gateway' });
  expect((await fetch(`http://127.0.0.1:${gateway.statusPort}/livez`)).status).toBe(200);
  expect((await gateway.readiness()).code).toBe(200);

  gateway.program.child.send('be in time');
  expect(await (await untilAnswered(200)).text()).toBe('ok origin');
  const line = await eventually(async () =>
    /^.*"status":503.*$/m.exec(await readFile(path, 'utf8'))?.at(0),
  );
  expect(JSON.parse(line)).toMatchObject({
    code: 'overloaded',
    reason: expect.stringMatching(/^event loop late by \d+ ms$/),
  });
});
