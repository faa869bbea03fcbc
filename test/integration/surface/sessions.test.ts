/** `balancer.sticky`, `hashOn` and the hashing policies: callers that stay where they are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { ask, type AskOptions, type Reply } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';

let gateway: TestGateway;
let origins: Origin[];

function endpoints(): object[] {
  return origins.map(({ address }) => ({ address }));
}

beforeAll(async () => {
  origins = await startOrigins('a', 'b', 'c', 'd');
  const balancers: Record<string, object> = {
    header: { policy: 'ring-hash', hashOn: { header: 'X-User' } },
    cookie: { policy: 'maglev', hashOn: { cookie: 'user' } },
    query: { policy: 'ring-hash', hashOn: { query: 'user' } },
    ip: { policy: 'maglev' },
    'ip-said': { policy: 'ring-hash', hashOn: { ip: true }, hashBalanceFactor: 1.25 },
    sticky: { policy: 'random', sticky: { cookie: 'endpoint' } },
    'sticky-long': {
      sticky: { cookie: 'endpoint', maxAge: '1h', secret: 'a secret of some length' },
    },
  };
  gateway = await startGateway({
    services: Object.fromEntries(
      Object.entries(balancers).map(([name, balancer]) => [
        name,
        { endpoints: endpoints(), balancer, outlierDetection: { consecutive5xx: 2 } },
      ]),
    ),
    routes: Object.keys(balancers).map((name) => ({
      name,
      match: [{ path: `/${name}` }],
      to: name,
    })),
  });
});
afterAll(() => Promise.all([gateway.stop(), ...origins.map((origin) => origin.stop())]));

async function bodies(path: string, options: readonly AskOptions[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const one of options) found.push((await ask(gateway.httpPort, path, one)).body);
  return found;
}

describe('hashOn', () => {
  const user = (i: number): string => `user-${i}`;
  const cases = [
    ['header', (i: number) => ({ headers: { 'x-user': user(i) } })],
    ['cookie', (i: number) => ({ headers: { cookie: `other=1; user=${user(i)}` } })],
    ['ip', (i: number) => ({ from: `127.0.0.${i + 1}` })],
    ['ip-said', (i: number) => ({ from: `127.0.0.${i + 1}` })],
  ] as const;

  it.each(cases)(
    '%s sends a caller to one endpoint, and others elsewhere',
    async (name, toOptions) => {
      const askers = Array.from({ length: 40 }, (_, i) => toOptions(i));
      const first = await bodies(`/${name}`, askers);
      expect(await bodies(`/${name}`, askers)).toEqual(first);
      expect(new Set(first).size).toBeGreaterThan(1);
    },
  );

  it('query sends a caller to one endpoint, and others elsewhere', async () => {
    const each = async (): Promise<string[]> => {
      const found: string[] = [];
      for (let i = 0; i < 40; i++) {
        found.push((await ask(gateway.httpPort, `/query?x=${i}&user=${user(i % 20)}`)).body);
      }
      return found;
    };
    const first = await each();
    expect(first.slice(0, 20)).toEqual(first.slice(20));
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it('spreads requests that do not have what is asked for', async () => {
    const found = await bodies(
      '/header',
      Array.from({ length: 60 }, () => ({})),
    );
    expect(new Set(found).size).toBeGreaterThan(1);
  });
});

describe('sticky', () => {
  function cookieOf(reply: Reply): string | undefined {
    return reply.headers['set-cookie']?.find((line) => line.startsWith('endpoint='));
  }

  function withCookie(reply: Reply): AskOptions {
    return { headers: { cookie: `theme=dark; ${cookieOf(reply)!.split(';')[0]}; lang=en` } };
  }

  it('names the endpoint in a cookie that says nothing of it', async () => {
    const reply = await ask(gateway.httpPort, '/sticky');
    expect(cookieOf(reply)).toMatch(/^endpoint=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('is Secure on https', async () => {
    const reply = await ask(gateway.httpsPort, '/sticky', { tls: {}, host: 'localhost' });
    expect(cookieOf(reply)).toMatch(/; HttpOnly; SameSite=Lax; Secure$/);
  });

  it('lasts as long as maxAge says', async () => {
    expect(cookieOf(await ask(gateway.httpPort, '/sticky-long'))).toContain('; Max-Age=3600;');
  });

  it('keeps a browser on its endpoint, without saying so again', async () => {
    const first = await ask(gateway.httpPort, '/sticky');
    for (let i = 0; i < 8; i++) {
      const next = await ask(gateway.httpPort, '/sticky', withCookie(first));
      expect(next.body).toBe(first.body);
      expect(cookieOf(next)).toBeUndefined();
    }
  });

  it('does not show the cookie to the service', async () => {
    const first = await ask(gateway.httpPort, '/sticky');
    const origin = origins.find(({ name }) => name === first.body)!;
    await ask(gateway.httpPort, '/sticky', withCookie(first));
    expect(origin.asked.at(-1)!.headers.cookie).toBe('theme=dark; lang=en');
  });

  it('takes a cookie that it did not make for none', async () => {
    const forged = { headers: { cookie: `endpoint=${'x'.repeat(22)}` } };
    const reply = await ask(gateway.httpPort, '/sticky', forged);
    expect(reply.status).toBe(200);
    expect(cookieOf(reply)).toBeDefined();
  });

  it('leaves an endpoint that is put aside, and names the next one', async () => {
    const first = await ask(gateway.httpPort, '/sticky-long');
    const origin = origins.find(({ name }) => name === first.body)!;
    origin.answer = (_asked, response) => response.writeHead(500).end('broken');
    const cookie = { ...withCookie(first), method: 'POST' };
    const moved = await until(async () => {
      const reply = await ask(gateway.httpPort, '/sticky-long', cookie);
      return reply.status === 200 ? reply : undefined;
    });
    origin.answer = (_asked, response) => response.end(origin.name);
    expect(moved.body).not.toBe(first.body);
    expect(cookieOf(moved)).toBeDefined();
    expect((await ask(gateway.httpPort, '/sticky-long', withCookie(moved))).body).toBe(moved.body);
  });

  it('outlives a restart', async () => {
    const { directory } = gateway;
    const config = {
      dataDir: `${directory}/data`,
      services: {
        orders: {
          endpoints: endpoints(),
          balancer: { policy: 'random', sticky: { cookie: 'endpoint' } },
        },
      },
      routes: [{ name: 'orders', match: [{ path: '/*' }], to: 'orders' }],
    };
    const before = await startGateway(config);
    const first = await ask(before.httpPort, '/');
    await before.stop();
    const after = await startGateway(config);
    for (let i = 0; i < 6; i++) {
      expect((await ask(after.httpPort, '/', withCookie(first))).body).toBe(first.body);
    }
    await after.stop();
  });
});
