/** rate-limit as a route has it, on counters in memory. */
import { describe, expect, it } from 'vitest';
import { createMemoryCounters } from '../../../src/mesh/limits/memory-counters.ts';
import { rateLimit } from '../../../src/plugins/rate-limit/rate-limit.ts';
import {
  Problem,
  type HookResult,
  type Limiter,
  type LimiterOptions,
  type LimitVerdict,
  type PluginHooks,
  type Stage,
} from '../../../src/plugins/sdk/plugin.ts';
import {
  configure,
  createTestContext,
  createTestExchange,
  TestClock,
  type TestExchange,
  type TestExchangeOptions,
} from '../fixtures.ts';

function createGateway() {
  const clock = new TestClock();
  const counters = createMemoryCounters({ clock });
  return {
    clock,
    counters,
    plugin: (config: object, route: string | undefined = 'orders'): PluginHooks =>
      rateLimit.create(configure(rateLimit, config), {
        ...createTestContext({ counters }),
        route,
      }),
  };
}

async function run(
  plugins: readonly PluginHooks[],
  options: TestExchangeOptions = {},
): Promise<{ result: HookResult; exchange: TestExchange }> {
  const exchange = createTestExchange(options);
  let result: HookResult;
  for (const plugin of plugins) {
    result = await plugin.onRequest!(exchange);
    if (result !== undefined) break;
  }
  for (const plugin of plugins) await plugin.onResponse?.(exchange);
  return { result, exchange };
}

/** How many of so many requests were let through. */
async function admitted(plugin: PluginHooks, times: number, options?: TestExchangeOptions) {
  let count = 0;
  for (let i = 0; i < times; i++) {
    if ((await run([plugin], options)).result === undefined) count++;
  }
  return count;
}

describe('rate-limit', () => {
  it('refuses with 429 rate_limited and Retry-After once the limit is spent', async () => {
    const { plugin, clock } = createGateway();
    const limit = plugin({ limit: 2, window: '1m' });
    await run([limit]);
    await run([limit]);
    clock.advance(18_500);
    const { result } = await run([limit]);
    expect(result).toBeInstanceOf(Problem);
    expect(result).toMatchObject({
      status: 429,
      code: 'rate_limited',
      headers: ['Retry-After', '42'],
    });
  });

  it('never asks to retry after 0 seconds', async () => {
    const { plugin, clock } = createGateway();
    const limit = plugin({ limit: 1, window: '1m' });
    await run([limit]);
    clock.advance(59_999);
    expect((await run([limit])).result).toMatchObject({ headers: ['Retry-After', '1'] });
  });

  it('tells policy and state on every answer, refusals included', async () => {
    const { plugin, clock } = createGateway();
    const limit = plugin({ limit: 2, window: '1m' });
    const first = await run([limit]);
    expect(first.exchange.response.headers.raw).toEqual([
      'RateLimit-Policy',
      '"orders";q=2;w=60',
      'RateLimit',
      '"orders";r=1;t=60',
    ]);
    clock.advance(20_100);
    await run([limit]);
    const refused = await run([limit]);
    expect(refused.result).toBeInstanceOf(Problem);
    expect(refused.exchange.response.headers.get('ratelimit')).toBe('"orders";r=0;t=40');
  });

  it('adds its lines to those of other limits', async () => {
    const { plugin } = createGateway();
    const limits = [
      plugin({ limit: 100, window: '1m' }),
      plugin({ limit: 5, window: '1s', by: 'ip', name: 'burst' }),
    ];
    const { exchange } = await run(limits);
    expect(exchange.response.headers.getAll('ratelimit-policy')).toEqual([
      '"orders";q=100;w=60',
      '"burst";q=5;w=1',
    ]);
    expect(exchange.response.headers.get('RateLimit')).toBe('"orders";r=99;t=60, "burst";r=4;t=1');
  });

  it('tells nothing where it was not reached or is told not to', async () => {
    const { plugin } = createGateway();
    const unreached = createTestExchange();
    await plugin({ limit: 1, window: '1m' }).onResponse!(unreached);
    expect(unreached.response.headers.raw).toEqual([]);
    const silent = await run([plugin({ limit: 1, window: '1m', headers: false })]);
    expect(silent.exchange.response.headers.raw).toEqual([]);
  });

  it.each([
    { route: undefined, config: { window: '1m' }, policy: '"default";q=9;w=60' },
    { route: 'a "b" \\ c', config: { window: '1m' }, policy: '"a \\"b\\" \\\\ c";q=9;w=60' },
    { route: 'straße', config: { window: '2h' }, policy: '"stra_e";q=9;w=7200' },
    { route: 'r', config: { window: '1500ms' }, policy: '"r";q=9' },
    { route: 'r', config: { window: '1m', name: 'gold' }, policy: '"gold";q=9;w=60' },
  ])('writes its policy as a structured field: $policy', async ({ route, config, policy }) => {
    const { counters } = createGateway();
    const hooks = rateLimit.create(configure(rateLimit, { limit: 9, ...config }), {
      ...createTestContext({ counters }),
      route,
    });
    const { exchange } = await run([hooks]);
    expect(exchange.response.headers.get('ratelimit-policy')).toBe(policy);
  });

  it('gives a new window when the old has ended', async () => {
    const { plugin, clock } = createGateway();
    const limit = plugin({ limit: 3, window: '10s' });
    expect(await admitted(limit, 5)).toBe(3);
    clock.advance(10_000);
    expect(await admitted(limit, 5)).toBe(3);
  });

  it('counts each caller by himself', async () => {
    const { plugin } = createGateway();
    const limit = plugin({ limit: 2, window: '1m' });
    const acme = { consumer: { name: 'acme', groups: [] } };
    expect(await admitted(limit, 3, acme)).toBe(2);
    expect(await admitted(limit, 3, { ip: '192.0.2.1' })).toBe(2);
    expect(await admitted(limit, 3, { ip: '192.0.2.2' })).toBe(2);
    expect(await admitted(limit, 1, { ip: '::ffff:192.0.2.2' })).toBe(0);
    expect(await admitted(limit, 3, { ip: '2001:db8::1' })).toBe(2);
    expect(await admitted(limit, 1, { ip: '2001:db8::ffff:1' })).toBe(0);
  });

  it('spends the cost of a method, 1 for one not named, and nothing for 0', async () => {
    const { plugin } = createGateway();
    const limit = plugin({ limit: 10, window: '1m', cost: { POST: 4, OPTIONS: 0 } });
    const remaining = async (method: string) => {
      const { exchange, result } = await run([limit], { method });
      return [result === undefined, exchange.response.headers.get('ratelimit')];
    };
    expect(await remaining('OPTIONS')).toEqual([true, '"orders";r=10;t=60']);
    expect(await remaining('POST')).toEqual([true, '"orders";r=6;t=60']);
    expect(await remaining('GET')).toEqual([true, '"orders";r=5;t=60']);
    expect(await remaining('POST')).toEqual([true, '"orders";r=1;t=60']);
    expect(await remaining('POST')).toEqual([false, '"orders";r=1;t=60']);
    expect(await remaining('GET')).toEqual([true, '"orders";r=0;t=60']);
    expect(await remaining('GET')).toEqual([false, '"orders";r=0;t=60']);
    expect(await remaining('OPTIONS')).toEqual([true, '"orders";r=0;t=60']);
  });

  it('spends a cost that is the same for all', async () => {
    const { plugin } = createGateway();
    expect(await admitted(plugin({ limit: 10, window: '1m', cost: 3 }), 9)).toBe(3);
  });

  it('refuses with the status asked for', async () => {
    const { plugin } = createGateway();
    const limit = plugin({ limit: 1, window: '1m', status: 503 });
    await run([limit]);
    expect((await run([limit])).result).toMatchObject({ status: 503, code: 'rate_limited' });
  });

  it('keeps limits of different routes, callers and windows apart', async () => {
    const { plugin } = createGateway();
    const config = { limit: 1, window: '1m', by: 'ip' };
    expect(await admitted(plugin(config, 'one'), 2)).toBe(1);
    expect(await admitted(plugin(config, 'two'), 2)).toBe(1);
    expect(await admitted(plugin({ ...config, window: '2m' }, 'one'), 2)).toBe(1);
    expect(await admitted(plugin({ ...config, by: 'route' }, 'one'), 2)).toBe(1);
  });

  it('shares the counts of one name between routes', async () => {
    const { plugin } = createGateway();
    const config = { limit: 3, window: '1m', by: 'route', name: 'both' };
    expect(await admitted(plugin(config, 'one'), 2, { route: 'one' })).toBe(2);
    expect(await admitted(plugin(config, 'two'), 2, { route: 'two' })).toBe(1);
  });

  it('counts each route by itself where one limit by route stands on all', async () => {
    const { counters } = createGateway();
    const everywhere = rateLimit.create(
      configure(rateLimit, { limit: 1, window: '1m', by: 'route' }),
      { ...createTestContext({ counters }), route: undefined },
    );
    expect(await admitted(everywhere, 2, { route: 'one' })).toBe(1);
    expect(await admitted(everywhere, 2, { route: 'two' })).toBe(1);
  });

  it('charges a request once where it meets the same counts twice', async () => {
    const { plugin } = createGateway();
    const onRoute = plugin({ limit: 10, window: '1m' });
    const onTarget = plugin({ limit: 2, window: '1m' });
    for (const remaining of [
      '"orders";r=9;t=60, "orders";r=1;t=60',
      '"orders";r=8;t=60, "orders";r=0;t=60',
    ]) {
      const { exchange, result } = await run([onRoute, onTarget]);
      expect(result).toBeUndefined();
      expect(exchange.response.headers.get('ratelimit')).toBe(remaining);
    }
    expect((await run([onRoute, onTarget])).result).toMatchObject({ code: 'rate_limited' });
  });

  it('goes on with the counts after a reload, under the new limit', async () => {
    const { plugin } = createGateway();
    expect(await admitted(plugin({ limit: 5, window: '1m' }), 3)).toBe(3);
    expect(await admitted(plugin({ limit: 4, window: '1m' }), 3)).toBe(1);
  });

  it('lets a free request through, even where more is spent than a lowered limit has', async () => {
    const { plugin } = createGateway();
    const cost = { OPTIONS: 0 };
    expect(await admitted(plugin({ limit: 5, window: '1m', cost }), 5)).toBe(5);
    const lowered = plugin({ limit: 3, window: '1m', cost });
    expect(await admitted(lowered, 1)).toBe(0);
    expect(await admitted(lowered, 1, { method: 'OPTIONS' })).toBe(1);
  });

  it('decides but spends nothing while explain narrates', async () => {
    const { plugin } = createGateway();
    const limit = plugin({ limit: 1, window: '1m' });
    expect(await admitted(limit, 5, { dryRun: true })).toBe(5);
    await run([limit]);
    expect((await run([limit], { dryRun: true })).result).toMatchObject({ status: 429 });
  });

  it('costs no promise where the limiter answers at once', () => {
    const verdict = { allowed: true, remaining: 1, resetMs: 1000 };
    const limiter: Limiter = { consume: () => verdict, peek: () => verdict };
    const context = createTestContext({ counters: { limiter: () => limiter } });
    const hooks = rateLimit.create(configure(rateLimit, { limit: 2, window: '1s' }), context);
    expect(hooks.onRequest!(createTestExchange())).toBeUndefined();
  });

  it('stands after authentication only where it counts by what that finds out', () => {
    const stageFor = (by: unknown) =>
      (rateLimit.stage as (config: unknown) => Stage)(
        configure(rateLimit, { limit: 1, window: '1s', ...(by !== undefined && { by }) }),
      );
    expect(stageFor(undefined)).toBe('shape');
    expect(stageFor('consumer')).toBe('shape');
    expect(stageFor({ claim: 'sub' })).toBe('shape');
    expect(stageFor('ip')).toBe('edge');
    expect(stageFor('route')).toBe('edge');
    expect(stageFor({ header: 'x-tenant' })).toBe('edge');
  });
});

describe('rate-limit without its store', () => {
  /** A limiter that decides by its fallback, as one on Redis does while that is gone. */
  function createUnavailable(verdict: LimitVerdict, config: object = {}) {
    const asked: LimiterOptions[] = [];
    const limiter: Limiter = { consume: () => verdict, peek: () => verdict };
    const context = createTestContext({
      counters: {
        limiter(options) {
          asked.push(options);
          return limiter;
        },
      },
    });
    const hooks = rateLimit.create(
      configure(rateLimit, { limit: 40, window: '1m', ...config }),
      context,
    );
    return { hooks, context, asked };
  }

  it('hands mode and fallback to the counters', () => {
    const verdict = { allowed: true, remaining: 1, resetMs: 1000 };
    const { asked } = createUnavailable(verdict, { mode: 'exact', onUnavailable: 'closed' });
    expect(asked).toMatchObject([{ mode: 'exact', onUnavailable: 'closed', points: 40 }]);
  });

  it('tells what this node has left where it counts by itself, and counts that it did', async () => {
    const verdict = { allowed: true, remaining: 9, resetMs: 60_000, fallback: 'local' } as const;
    const { hooks, context } = createUnavailable(verdict);
    const { result, exchange } = await run([hooks]);
    expect(result).toBeUndefined();
    expect(exchange.response.headers.get('ratelimit')).toBe('"orders";r=9;t=60');
    expect([...context.counts]).toEqual([
      [`fallbacks_total{route=${exchange.route},fallback=local}`, 1],
    ]);
    await run([hooks], { dryRun: true });
    expect([...context.counts.values()]).toEqual([1]);
  });

  it("refuses with 429 what is past this node's share", async () => {
    const verdict = { allowed: false, remaining: 0, resetMs: 5_000, fallback: 'local' } as const;
    const { result } = await run([createUnavailable(verdict).hooks]);
    expect(result).toMatchObject({ status: 429, code: 'rate_limited' });
  });

  it('tells the policy alone where everybody is let through', async () => {
    const verdict = { allowed: true, remaining: 40, resetMs: 60_000, fallback: 'open' } as const;
    const { result, exchange } = await run([createUnavailable(verdict).hooks]);
    expect(result).toBeUndefined();
    expect(exchange.response.headers.get('ratelimit-policy')).toBe('"orders";q=40;w=60');
    expect(exchange.response.headers.get('ratelimit')).toBeUndefined();
  });

  it('refuses with 503 overloaded where nobody is, whatever the status of a refusal', async () => {
    const verdict = { allowed: false, remaining: 0, resetMs: 1_000, fallback: 'closed' } as const;
    const { hooks } = createUnavailable(verdict, { status: 403, cost: { OPTIONS: 0 } });
    const { result, exchange } = await run([hooks]);
    expect(result).toMatchObject({
      status: 503,
      code: 'overloaded',
      headers: ['Retry-After', '1'],
    });
    expect(exchange.response.headers.get('ratelimit')).toBeUndefined();
    expect((await run([hooks], { method: 'OPTIONS' })).result).toBeUndefined();
  });
});

describe("rate-limit's configuration", () => {
  it('fills in the defaults', () => {
    expect(configure(rateLimit, { limit: 1, window: '1s' })).toEqual({
      limit: 1,
      window: '1s',
      cost: 1,
      mode: 'leased',
      onUnavailable: 'local',
      status: 429,
      headers: true,
    });
  });

  it.each([
    [{ window: '1m' }, /limit/],
    [{ limit: 0, window: '1m' }, /limit/],
    [{ limit: 1.5, window: '1m' }, /limit/],
    [{ limit: 1 }, /window/],
    [{ limit: 1, window: '1 minute' }, /window/],
    [{ limit: 1, window: '0s' }, /^window: must be longer/],
    [{ limit: 1, window: '1m', by: 'user' }, /by/],
    [{ limit: 1, window: '1m', by: { header: 'a', claim: 'b' } }, /by/],
    [{ limit: 5, window: '1m', cost: 6 }, /^cost: 6 is more than the limit of 5/],
    [{ limit: 5, window: '1m', cost: { GET: 1, POST: 6 } }, /^cost\.POST: 6 is more/],
    [{ limit: 5, window: '1m', cost: { post: 1 } }, /cost/],
    [{ limit: 5, window: '1m', cost: -1 }, /cost/],
    [{ limit: 5, window: '1m', name: 'a "quoted" one' }, /name/],
    [{ limit: 5, window: '1m', status: 200 }, /status/],
    [{ limit: 5, window: '1m', burst: 1 }, /additional/],
    [{ limit: 5, window: '1m', mode: 'strict' }, /mode/],
    [{ limit: 5, window: '1m', onUnavailable: 'deny' }, /onUnavailable/],
  ])('refuses %j', (config, message) => {
    expect(() => configure(rateLimit, config)).toThrow(message);
  });
});
