/** That tests run on the lane that they say they run on; this file is among those of either. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WireSession } from '../../src/gateway/exchange/wire-lane/wire-session.ts';
import { startGateway } from '../integration/gateway-fixture.ts';
import {
  callBy,
  CALLER,
  outboundOf,
  registered,
  untilServed,
} from '../integration/mesh/mesh-fixture.ts';
import { CHECKOUT, createFolder, MAIN, Program } from '../integration/process/gateway-process.ts';
import { listen } from '../integration/protocols/origins.ts';
import { ask } from '../integration/surface/client.ts';
import { isFullLaneAlone } from './tested-lane.ts';

it("the listeners of a test's own process have the lane under test, mesh doors too", async () => {
  const begin = vi.spyOn(WireSession.prototype, 'begin');
  onTestFinished(() => begin.mockRestore());
  const application = await listen(createServer((_, response) => response.end('called')));
  onTestFinished(() => application.close());
  const port = Number(application.address.split(':')[1]);
  const { listeners: _none, ...caller } = CALLER;
  const node = await startGateway({
    ...caller,
    register: [registered('orders', port)],
    routes: [{ name: 'here', match: [{ path: '/*' }], respond: { status: 200, body: 'here' } }],
  });
  onTestFinished(() => node.stop());

  expect(await ask(node.httpPort, '/')).toMatchObject({ status: 200, body: 'here' });
  expect(Math.min(begin.mock.calls.length, 1)).toBe(isFullLaneAlone ? 0 : 1);
  await untilServed(node, 'http://orders.mesh/');
  begin.mockClear();
  const called = await callBy(outboundOf(node), '/', { headers: { host: 'orders.mesh' } });
  expect(called).toMatchObject({ status: 200, body: 'called' });
  // Of the outbound door, and of the inbound one behind it.
  expect(Math.min(begin.mock.calls.length, 2)).toBe(isFullLaneAlone ? 0 : 2);
});

it('the program that tests start has it, with all of its processes', async () => {
  const bundle = join(dirname(MAIN), '..');
  const names = await readdir(bundle, { recursive: true });
  const texts = await Promise.all(
    names
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFile(join(bundle, name), 'utf8')),
  );
  expect(texts.some((text) => text.includes('createFullLane'))).toBe(true);
  expect(texts.some((text) => text.includes('new WireSession('))).toBe(!isFullLaneAlone);
});

it('programs have it that run from the sources or from what is built of them', async () => {
  const folder = await createFolder();
  const built = join(folder, 'wire-lane/wire-lane.js');
  await mkdir(dirname(built));
  await writeFile(built, 'export function createWireLane() { return "WireSession"; }');
  const sources = join(CHECKOUT, 'src/gateway/exchange/wire-lane/wire-lane.ts');
  for (const file of [sources, built]) {
    const script = `import { createWireLane } from ${JSON.stringify(file)}; console.log(String(createWireLane));`;
    const program = new Program(['-e', script], {
      command: [process.execPath, '--input-type=module'],
    });
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(program.stdout.includes('WireSession')).toBe(!isFullLaneAlone);
  }
});
