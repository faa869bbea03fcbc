/** `jwt` against an issuer that publishes, changes and loses its keys. */
import { writeFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jwt } from '../../../src/plugins/jwt/jwt.ts';
import type { HookResult, PluginHooks } from '../../../src/plugins/sdk/plugin.ts';
import { configure, createTestContext, createTestExchange, type TestContext } from '../fixtures.ts';
import {
  createFetchJson,
  createSigningKey,
  keySet,
  signToken,
  startJwksServer,
  type JwksServer,
  type SigningKey,
} from './issuer.ts';

let first: SigningKey;
let second: SigningKey;
let server: JwksServer;
let context: TestContext;

beforeAll(async () => {
  first = await createSigningKey('RS256', 'first');
  second = await createSigningKey('RS256', 'second');
});
beforeEach(async () => {
  server = await startJwksServer([first]);
  context = createTestContext({ fetchJson: createFetchJson() });
});
afterEach(() => server.close());

function create(config: object = {}): PluginHooks {
  return jwt.create(
    configure(jwt, { jwks: server.url, allowPrivateAddresses: true, ...config }),
    context,
  );
}

async function send(hooks: PluginHooks, token: string): Promise<HookResult> {
  return hooks.onRequest!(createTestExchange({ headers: ['Authorization', `Bearer ${token}`] }));
}

describe('keys at a URL', () => {
  it('are asked for before any request arrives', () => {
    const asked: string[] = [];
    context = createTestContext({
      fetchJson: (url) => {
        asked.push(url);
        return Promise.resolve(server.document);
      },
    });
    create();
    expect(asked).toEqual([server.url]);
  });

  it('are fetched once for all the requests that arrive before them', async () => {
    const hooks = create();
    const tokens = await Promise.all(
      Array.from({ length: 10 }, (_, i) => signToken(first, context.clock, { sub: `user-${i}` })),
    );
    const results = await Promise.all(tokens.map((token) => send(hooks, token)));
    expect(results).toEqual(Array.from({ length: 10 }, () => undefined));
    expect(server.requests).toBe(1);
  });

  it('are fetched once for several instances, and survive the exchange of an instance', async () => {
    const before = create();
    await send(before, await signToken(first, context.clock));
    const after = create({ claimsToHeaders: { sub: 'x-user' } });
    await before.close!();
    server.document = undefined;
    expect(
      await send(after, await signToken(first, context.clock, { sub: 'bob' })),
    ).toBeUndefined();
    expect(server.requests).toBe(1);
  });

  it('are fetched again for a key that is not known, after which its tokens are accepted', async () => {
    const hooks = create();
    await send(hooks, await signToken(first, context.clock));
    server.document = keySet([first, second]);
    context.clock.advance(30_000);
    expect(await send(hooks, await signToken(second, context.clock))).toBeUndefined();
    expect(server.requests).toBe(2);
  });

  it('are not fetched again within the cooldown, however many unknown keys are tried', async () => {
    const hooks = create({ cooldown: '30s' });
    await send(hooks, await signToken(first, context.clock));
    context.clock.advance(29_999);
    for (let i = 0; i < 5; i += 1) {
      const token = await signToken(second, context.clock, {}, { kid: `made-up-${i}` });
      expect(await send(hooks, token)).toMatchObject({ status: 401 });
    }
    expect(server.requests).toBe(1);
    context.clock.advance(1);
    expect(await send(hooks, await signToken(second, context.clock))).toMatchObject({
      status: 401,
    });
    expect(await send(hooks, await signToken(second, context.clock))).toMatchObject({
      status: 401,
    });
    expect(server.requests).toBe(2);
  });

  it('take the remembered tokens along when they are withdrawn', async () => {
    const hooks = create();
    const token = await signToken(first, context.clock);
    expect(await send(hooks, token)).toBeUndefined();
    server.document = keySet([second]);
    context.clock.advance(30_000);
    expect(await send(hooks, await signToken(second, context.clock))).toBeUndefined();
    expect(await send(hooks, token)).toMatchObject({ status: 401 });
  });

  it('are kept while the issuer is down, for days', async () => {
    const hooks = create();
    await send(hooks, await signToken(first, context.clock));
    server.document = undefined;
    for (let hour = 0; hour < 72; hour += 1) {
      context.clock.advance(3600_000);
      expect(await send(hooks, await signToken(first, context.clock))).toBeUndefined();
    }
    expect(server.requests).toBeGreaterThan(1);
    expect(context.lines.some(({ level }) => level === 'warn')).toBe(true);
    expect(context.counts.get('jwks_refreshes_total{result=failed}')).toBeGreaterThan(0);
  });

  it('are kept when the issuer answers with none', async () => {
    const hooks = create();
    await send(hooks, await signToken(first, context.clock));
    server.document = { keys: [] };
    context.clock.advance(3600_000);
    expect(await send(hooks, await signToken(first, context.clock))).toBeUndefined();
  });

  it('that were never there are 503, and no 401, until the issuer is back', async () => {
    server.document = undefined;
    const hooks = create();
    const token = await signToken(first, context.clock);
    expect(await send(hooks, token)).toMatchObject({ status: 503, code: 'jwks_unavailable' });
    server.document = keySet([first]);
    context.clock.advance(30_000);
    expect(await send(hooks, token)).toBeUndefined();
  });

  it('that were never there do not keep a malformed token from its 401', async () => {
    server.document = undefined;
    expect(await send(create(), 'a.b.c')).toMatchObject({ status: 401 });
  });

  it('that were never there do not keep out tokens that a secret verifies', async () => {
    server.document = undefined;
    const secret = 'a secret of thirty-two bytes, ok';
    const key = { algorithm: 'HS256', id: 'x', privateKey: new TextEncoder().encode(secret) };
    const hooks = create({ secret });
    expect(await send(hooks, await signToken(key, context.clock))).toBeUndefined();
  });
});

describe('keys in a file', () => {
  it('are read again for a key that is not known, after the cooldown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jwks-'));
    try {
      const file = join(folder, 'keys.json');
      await writeFile(file, JSON.stringify(keySet([first])));
      context = createTestContext({ readFile: (path) => readFile(path, 'utf8') });
      const hooks = create({ jwks: { file } });
      expect(await send(hooks, await signToken(first, context.clock))).toBeUndefined();
      await writeFile(file, JSON.stringify(keySet([second])));
      const token = await signToken(second, context.clock);
      expect(await send(hooks, token)).toMatchObject({ status: 401 });
      context.clock.advance(30_000);
      expect(await send(hooks, token)).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
