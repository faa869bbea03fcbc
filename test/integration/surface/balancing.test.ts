/** `services.<name>.balancer` and the weights of endpoints. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ServerResponse } from 'node:http';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway;
let origins: Origin[];

beforeAll(async () => {
  let lot = 0;
  vi.spyOn(Math, 'random').mockImplementation(() => (lot += 0.618_033_988_749_895) % 1);
  origins = await startOrigins('a', 'b', 'c');
  const endpoints = (...weights: number[]): object[] =>
    weights.map((weight, i) => ({ address: origins[i]!.address, weight }));
  const services: Record<string, object> = {
    default: { endpoints: endpoints(1, 1, 1) },
    weighted: { endpoints: endpoints(5, 1, 1), balancer: { policy: 'round-robin' } },
    zero: { endpoints: endpoints(0, 1, 0) },
    random: { endpoints: endpoints(3, 1), balancer: { policy: 'random' } },
    least: { endpoints: endpoints(1, 1), balancer: { policy: 'least-request' } },
  };
  gateway = await startGateway({
    services,
    routes: Object.keys(services).map((name) => ({
      name,
      match: [{ path: `/${name}` }],
      to: name,
    })),
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await Promise.all([gateway.stop(), ...origins.map((origin) => origin.stop())]);
});

async function turns(path: string, times: number): Promise<string> {
  let found = '';
  for (let i = 0; i < times; i++) found += (await ask(gateway.httpPort, path)).body;
  return found;
}

it('is round-robin where nothing is said', async () => {
  expect(await turns('/default', 6)).toBe('abcabc');
});

it('round-robin spreads the turns of a heavier endpoint: 5, 1, 1', async () => {
  expect(await turns('/weighted', 14)).toBe('aabacaaaabacaa');
});

it('an endpoint of weight 0 gets nothing', async () => {
  expect(await turns('/zero', 4)).toBe('bbbb');
});

it('random gives each its share', async () => {
  const found = await turns('/random', 40);
  const ofA = found.replaceAll('b', '').length;
  expect(ofA).toBeGreaterThanOrEqual(28);
  expect(ofA).toBeLessThanOrEqual(32);
});

it('least-request passes a busy endpoint over', async () => {
  const held: ServerResponse[] = [];
  for (const origin of origins) origin.answer = (_asked, response) => void held.push(response);
  const busy = ask(gateway.httpPort, '/least');
  const first = await Promise.race(
    origins.slice(0, 2).map((origin, i) => waitFor(origin).then(() => i)),
  );
  for (const origin of origins) origin.answer = (_asked, response) => response.end(origin.name);
  const idle = first === 0 ? 'b' : 'a';
  expect(await turns('/least', 8)).toBe(idle.repeat(8));
  held[0]!.end('done');
  expect((await busy).body).toBe('done');
});

function waitFor(origin: Origin): Promise<unknown> {
  return origin.request(origin.asked.length + 1);
}
