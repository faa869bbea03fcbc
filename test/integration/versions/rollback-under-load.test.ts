/** A change that is valid and wrong, taken back under load. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { startSteadyLoad } from '../mesh-faults/steady-load.ts';
import { listen } from '../protocols/origins.ts';
import { freePorts } from '../../redis/free-port.ts';
import { singleTarget } from '../../redis/open-backplane.ts';
import { RedisProcess } from '../../redis/redis-process.ts';
import { startAdminFleet, type FleetNode } from './admin-fleet.ts';

const PATHS = { changed: '/orders', left: '/payments', slow: '/orders/slow' };

it('costs no request but those that it sent to where nobody is', { timeout: 60_000 }, async () => {
  const redis = await RedisProcess.start();
  onTestFinished(() => redis.stop());
  const { slow, port } = await startOrigin();
  const [deadPort] = (await freePorts(1)) as [number];
  const { one, two } = await startAdminFleet(singleTarget(redis.port), {
    one: { as: 'app' },
    two: { as: 'program' },
  });
  const nodes = [one, two];
  await one.must('/v1/config', {
    method: 'PUT',
    body: {
      services: {
        live: { endpoints: [{ address: `127.0.0.1:${port}` }] },
        dead: { endpoints: [{ address: `127.0.0.1:${deadPort}` }] },
      },
      routes: [
        { name: 'orders', match: [{ path: '/orders/*' }], to: 'live' },
        { name: 'payments', match: [{ path: '/payments' }], to: 'live' },
      ],
    },
  });
  await Promise.all(nodes.map((node) => node.runs(1)));
  const ports = nodes.map(({ httpPort }) => httpPort);
  const changed = startSteadyLoad({ ports, path: PATHS.changed });
  const left = startSteadyLoad({ ports, path: PATHS.left });
  await Promise.all([changed.more(50), left.more(50)]);
  // Under way through all of it, by the configuration that they came in by.
  const held = nodes.map((node) => askSlow(node));
  const answers = await slow.taken(nodes.length);
  expect(changed.failures).toEqual([]);

  const patch = { method: 'PATCH', body: { to: 'dead' } };
  await two.must('/v1/routes/orders', patch);
  await Promise.all(nodes.map((node) => node.runs(2)));
  const before = changed.failures.length;
  await Promise.all([left.more(50), untilMore(() => changed.failures.length, before + 20)]);
  const { body } = await one.must('/v1/config/rollback', {
    method: 'POST',
    body: { version: 1 },
  });
  expect(body).toMatchObject({ version: { version: 3, rollback_of: 1 } });
  await Promise.all(nodes.map((node) => node.runs(3)));

  // What was asked before it ran everywhere may still have been the change's.
  await changed.more(10);
  const refused = [...changed.failures];
  await Promise.all([changed.more(100), left.more(100)]);
  expect(changed.failures).toEqual(refused);
  expect(
    refused.filter((failure) => !failure.includes('"code":"upstream_connect_failed"')),
  ).toEqual([]);
  expect(left.failures).toEqual([]);
  for (const answer of answers) answer.end('the end');
  expect(await Promise.all(held)).toEqual(['begun, the end', 'begun, the end']);
  expect(await (await fetch(`${two.url}${PATHS.changed}`)).text()).toBe('origin');
});

/** Answers at once, but for what is slow: that it begins, and leaves the rest to the test. */
async function startOrigin() {
  const begun: ServerResponse[] = [];
  let wake = (): void => {};
  const origin = await listen(
    createServer((request, response) => {
      request.resume();
      if (request.url !== PATHS.slow) {
        response.end('origin');
        return;
      }
      response.write('begun, ');
      begun.push(response);
      wake();
    }),
  );
  onTestFinished(() => origin.close());
  const slow = {
    async taken(count: number): Promise<readonly ServerResponse[]> {
      while (begun.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return begun;
    },
  };
  return { port: origin.port, slow };
}

async function askSlow(node: FleetNode): Promise<string> {
  const asked = get(`${node.url}${PATHS.slow}`);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return text(answer);
}

async function untilMore(count: () => number, wanted: number): Promise<void> {
  while (count() < wanted) await new Promise((next) => setTimeout(next, 20));
}
