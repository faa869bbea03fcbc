/** `status`: /livez, /readyz and /metrics. */
import { expect, it } from 'vitest';
import { startGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { startOrigin } from './origin.ts';

it('says alive and ready, and what it runs', async () => {
  const gateway = await startGateway({ routes: [{ name: 'hello', respond: { body: 'hi' } }] });
  try {
    const alive = await ask(gateway.statusPort, '/livez');
    expect(alive.status).toBe(200);
    const ready = await ask(gateway.statusPort, '/readyz');
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.body)).toMatchObject({
      status: 'ready',
      revision: 1,
      config_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      last_reload: { successful: true, errors: [] },
    });
    const metrics = await ask(gateway.statusPort, '/metrics');
    expect(metrics.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    // They are no routes of the gateway's, and its routes are none of theirs.
    expect((await ask(gateway.httpPort, '/livez')).body).toBe('hi');
    expect((await ask(gateway.statusPort, '/hello')).status).toBe(404);
  } finally {
    await gateway.stop();
  }
});

it('is not ready while it drains, but alive until what is in flight has ended', async () => {
  const origin = await startOrigin('origin');
  const gateway = await startGateway({
    services: { origin: { endpoints: [{ address: origin.address }] } },
    routes: [{ name: 'all', to: 'origin' }],
  });
  let finish: () => void = () => undefined;
  origin.answer = (_asked, response) => {
    finish = () => response.end('at last');
  };
  const inFlight = ask(gateway.httpPort, '/');
  await origin.request(1);
  const stopped = gateway.stop();
  const ready = await ask(gateway.statusPort, '/readyz');
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.body)).toMatchObject({ status: 'draining' });
  expect((await ask(gateway.statusPort, '/livez')).status).toBe(200);
  await expect(ask(gateway.httpPort, '/')).rejects.toThrow(/ECONNREFUSED/);
  finish();
  expect(await inFlight).toMatchObject({ status: 200, body: 'at last' });
  await stopped;
  await expect(ask(gateway.statusPort, '/livez')).rejects.toThrow(/ECONNREFUSED/);
  await origin.stop();
});
