/** What `own-loop.ts` is for. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startGateway } from './gateway-fixture.ts';
import { ask } from './surface/client.ts';

/** More than a gateway may be late by, in ms, and as often as it takes to be load. */
const LATE = { byMs: 400, times: 4 };

it('a gateway in the process of a test that holds up their event loop sheds nothing', async () => {
  const gateway = await startGateway({
    routes: [{ name: 'here', match: [{ path: '/*' }], respond: { status: 200, body: 'here' } }],
  });
  onTestFinished(() => gateway.stop());
  for (let times = 0; times < LATE.times; times++) {
    const end = performance.now() + LATE.byMs;
    while (performance.now() < end);
    await turn();
  }
  expect(await ask(gateway.httpPort, '/')).toMatchObject({ status: 200, body: 'here' });
});
