/** Requests with a token that was verified before. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/plugins/sdk/plugin.ts';
import { createSigningKey, signToken, type SigningKey } from './issuer.ts';
import { bearer, challengeOf, createPlugin } from './requests.ts';

let key: SigningKey;

beforeAll(async () => {
  key = await createSigningKey('RS256', 'one');
});

const create = (config?: object) => createPlugin([key], config);

describe('the cache', () => {
  it('answers a known token synchronously, with the very same frozen claims', async () => {
    const { hooks, clock } = create();
    const token = await signToken(key, clock, { nested: { list: [1] } });
    const first = bearer(token);
    const pending = hooks.onRequest!(first);
    expect(pending).toBeInstanceOf(Promise);
    await pending;
    const second = bearer(token);
    expect(hooks.onRequest!(second)).toBeUndefined();
    expect(second.claims).toBe(first.claims);
    expect(Object.isFrozen((first.claims!['nested'] as { list: number[] }).list)).toBe(true);
  });

  it('refuses a known token from the moment it expires, leeway included', async () => {
    const { hooks, clock } = create({ leeway: '30s' });
    const token = await signToken(key, clock);
    await hooks.onRequest!(bearer(token));
    clock.advance(3600_000 - (clock.now() % 1000) + 29_999);
    expect(hooks.onRequest!(bearer(token))).toBeUndefined();
    clock.advance(1);
    expect(hooks.onRequest!(bearer(token))).toMatchObject({ status: 401 });
  });

  it('refuses a known token that is not valid yet once the clock is set back', async () => {
    const { hooks, clock } = create();
    const token = await signToken(key, clock, { nbf: Math.floor(clock.now() / 1000) });
    await hooks.onRequest!(bearer(token));
    clock.wallMs -= 60_000;
    const problem = hooks.onRequest!(bearer(token)) as Problem;
    expect(challengeOf(problem)).toContain('not valid yet');
  });

  it('verifies a new token once for all the requests that bring it at the same time', async () => {
    const { hooks, clock, counts } = create();
    const token = await signToken(key, clock);
    const exchanges = Array.from({ length: 20 }, () => bearer(token));
    const results = await Promise.all(
      exchanges.map((exchange) => Promise.resolve(hooks.onRequest!(exchange))),
    );
    expect(results.every((result) => result === undefined)).toBe(true);
    expect(exchanges.every(({ claims }) => claims?.['sub'] === 'alice')).toBe(true);
    expect(counts.get('verifications_total{result=accepted}')).toBe(1);
  });

  it('may be turned off', async () => {
    const { hooks, clock, counts } = create({ cacheSize: 0 });
    const token = await signToken(key, clock);
    await hooks.onRequest!(bearer(token));
    await hooks.onRequest!(bearer(token));
    expect(counts.get('verifications_total{result=accepted}')).toBe(2);
  });
});
