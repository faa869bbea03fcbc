/** `routes[].to` with several targets: shares, and what a target may carry. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, codeOf } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway;
let stable: Origin;
let canary: Origin;

beforeAll(async () => {
  // Lots that are spread evenly instead of drawn: any run of them has the shares asked for.
  let lot = 0;
  vi.spyOn(Math, 'random').mockImplementation(() => (lot += 0.618_033_988_749_895) % 1);
  [stable, canary] = (await startOrigins('stable', 'canary')) as [Origin, Origin];
  gateway = await startGateway({
    services: {
      stable: { endpoints: [{ address: stable.address }] },
      canary: { endpoints: [{ address: canary.address }] },
    },
    routes: [
      { name: 'by-name', match: [{ path: '/by-name' }], to: 'stable' },
      { name: 'alone', match: [{ path: '/alone' }], to: { service: 'canary' } },
      {
        name: 'split',
        match: [{ path: '/split' }],
        to: [
          { service: 'stable', weight: 90 },
          { service: 'canary', weight: 10 },
        ],
      },
      {
        name: 'off',
        match: [{ path: '/off' }],
        to: [{ service: 'stable', weight: 0 }, { service: 'canary' }],
      },
      { name: 'all-off', match: [{ path: '/all-off' }], to: [{ service: 'stable', weight: 0 }] },
      {
        name: 'mixed',
        match: [{ path: '/mixed/*' }],
        to: [
          {
            service: 'stable',
            weight: 1,
            plugins: [{ headers: { request: { set: { t: 'a' } } } }],
          },
          { service: 'canary', weight: 1, rewrite: { stripPrefix: '/mixed' } },
          { respond: { status: 503, body: 'not today' }, weight: 1 },
          { redirect: { path: '/elsewhere' }, weight: 1 },
        ],
      },
    ],
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await Promise.all([gateway.stop(), stable.stop(), canary.stop()]);
});

async function counts(path: string, times: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let i = 0; i < times; i++) {
    const { status, body } = await ask(gateway.httpPort, path);
    const key = status === 200 ? body : String(status);
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

describe('to', () => {
  it('may be the name of a service, or a single target', async () => {
    expect((await ask(gateway.httpPort, '/by-name')).body).toBe('stable');
    expect((await ask(gateway.httpPort, '/alone')).body).toBe('canary');
  });

  it('shares requests by weight', async () => {
    const { stable: ninety = 0, canary: ten = 0 } = await counts('/split', 100);
    expect(ninety + ten).toBe(100);
    expect(ten).toBeGreaterThanOrEqual(8);
    expect(ten).toBeLessThanOrEqual(12);
  });

  it('sends nothing to a target of weight 0', async () => {
    expect(await counts('/off', 20)).toEqual({ canary: 20 });
  });

  it('answers 503 where every weight is 0', async () => {
    const reply = await ask(gateway.httpPort, '/all-off');
    expect(reply.status).toBe(503);
    expect(codeOf(reply)).toBe('no_healthy_endpoint');
  });
});

describe('a target', () => {
  it('may answer or redirect by itself, at its weight', async () => {
    const found = await counts('/mixed/x', 40);
    expect(Object.keys(found).sort()).toEqual(['302', '503', 'canary', 'stable']);
    for (const share of Object.values(found)) expect(Math.abs(share - 10)).toBeLessThanOrEqual(2);
  });

  it('keeps its plugins and its rewrite to itself', async () => {
    for (const one of [stable, canary]) one.asked.splice(0);
    await counts('/mixed/x', 12);
    expect(
      new Set(stable.asked.map(({ target, headers }) => `${target} ${String(headers['t'])}`)),
    ).toEqual(new Set(['/mixed/x a']));
    expect(
      new Set(canary.asked.map(({ target, headers }) => `${target} ${String(headers['t'])}`)),
    ).toEqual(new Set(['/x undefined']));
  });
});
