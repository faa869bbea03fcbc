/** Explaining: what would become of a request, and why, with nothing done. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/app.ts';
import type { App } from '../../../src/cli/app-port.ts';
import type { Explanation } from '../../../src/gateway/explain/explain.ts';
import { ask } from './client.ts';
import { explainedConfig } from './explained-config.ts';
import { startOrigins, type Origin } from './origin.ts';
import { createRecordedLog } from './recorded-log.ts';
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts';

let folder: string;
let origins: Origin[];
let issuer: TokenIssuer;
let running: App;
let httpPort: number;
const log = createRecordedLog();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-explain-'));
  origins = await startOrigins('v1', 'v2');
  issuer = await createTokenIssuer();
  await writeFile(join(folder, 'meshgate.yaml'), JSON.stringify(explainedConfig(origins, issuer)));
  running = await createApp({ configFile: join(folder, 'meshgate.yaml'), env: {}, log });
  const { listeners } = await running.start();
  httpPort = listeners[0]!.port;
});
afterAll(async () => {
  await running.stop();
  await Promise.all(origins.map((origin) => origin.stop()));
  await rm(folder, { recursive: true });
});

function asking(
  method: string,
  url: string,
  headers: readonly string[] = [],
  body?: string,
): Promise<Explanation> {
  return running.explain({
    method,
    url: new URL(url),
    headers,
    body: body === undefined ? undefined : Buffer.from(body),
  });
}

async function token(claims: object = {}): Promise<readonly string[]> {
  return Object.entries(await issuer.bearer('alice', { ...claims })).flat();
}

describe('routes', () => {
  it('are the winner, and why each other candidate lost', async () => {
    const { routes } = await asking('GET', 'http://api.test/orders/1', ['x-env', 'canary']);
    expect(routes[0]).toEqual({
      route: 'canary',
      match: 0,
      won: true,
      reason: 'exact host api.test, prefix /orders, header x-env',
    });
    const why = (route: string, match = 0): string | undefined =>
      routes.find((one) => one.route === route && one.match === match && !one.won)?.reason;
    expect(why('orders', 0)).toBe('host: expected other.test, got api.test');
    expect(why('small')).toMatch(/^path: /);
    expect(routes).toHaveLength(9);
  });

  it('tell by which rule the winner went before another that matches', async () => {
    const { routes } = await asking('GET', 'http://api.test/orders/1', ['x-env', 'canary']);
    expect(routes).toContainEqual({
      route: 'orders',
      match: 1,
      won: false,
      reason: expect.stringContaining('more header matches'),
      closeness: 3,
    });
  });

  it('tell what a condition expected and got', async () => {
    const { routes } = await asking('GET', 'http://api.test/orders/1', ['x-env', 'prod']);
    expect(routes[0]).toMatchObject({ route: 'orders', match: 1, won: true });
    expect(routes).toContainEqual({
      route: 'canary',
      match: 0,
      won: false,
      reason: 'header x-env: expected "canary", got "prod"',
      closeness: 2,
    });
  });

  it('all lose where none matches, and the answer is 404', async () => {
    const { routes, answer, forward } = await asking('DELETE', 'http://nobody.test/x');
    expect(routes.some(({ won }) => won)).toBe(false);
    expect(answer).toMatchObject({ status: 404, code: 'no_route' });
    expect(forward).toBeUndefined();
  });
});

describe('plugins', () => {
  it('are heard in order, each with what it would answer, although one refuses', async () => {
    const { plugins, answer } = await asking('GET', 'http://api.test/orders/1');
    expect(plugins.map(({ plugin, stage, answer: says }) => [plugin, stage, says?.status])).toEqual(
      [
        ['rate-limit', 'edge', undefined],
        ['jwt', 'authenticate', 401],
        ['acl', 'authorize', 401],
        ['headers', 'shape', undefined],
        ['ip-filter', 'edge', undefined],
      ],
    );
    expect(answer).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('see the token, of which nothing is told', async () => {
    const headers = await token({ role: 'admin' });
    const explanation = await asking('GET', 'http://api.test/orders/1', headers);
    expect(explanation.plugins.map(({ answer }) => answer)).toEqual(Array(5).fill(undefined));
    expect(explanation.answer).toBeUndefined();
    expect(JSON.stringify(explanation)).not.toContain(headers[1]!.slice(-20));
  });

  it('see the body', async () => {
    expect((await asking('POST', 'http://any.test/small', [], 'ok')).answer).toBeUndefined();
    expect((await asking('POST', 'http://any.test/small', [], 'long')).answer).toMatchObject({
      status: 413,
      code: 'payload_too_large',
    });
  });

  it('spend nothing: limits are as full as before', async () => {
    for (let i = 0; i < 5; i++) {
      expect((await asking('GET', 'http://any.test/limited')).answer).toBeUndefined();
    }
    const status = async (): Promise<number> => (await ask(httpPort, '/limited')).status;
    expect([await status(), await status(), await status()]).toEqual([200, 200, 429]);
    // Now it is spent, and explain says so.
    expect((await asking('GET', 'http://any.test/limited')).answer).toMatchObject({
      status: 429,
      code: 'rate_limited',
    });
  });
});

describe('the endpoint', () => {
  it('is told with the reason, and why others are not', async () => {
    const [v1, v2] = origins as [Origin, Origin];
    const { forward } = await asking('GET', 'http://api.test/orders/1?a=b', ['x-env', 'canary']);
    expect(forward).toEqual({
      service: 'orders',
      target: '/1?a=b',
      authority: 'inside.test',
      endpoint: v2.address,
      reason: expect.stringContaining('round-robin'),
      endpoints: [
        { endpoint: v1.address, verdict: 'metadata-differs' },
        { endpoint: v2.address, verdict: 'chosen' },
      ],
    });
  });

  it('takes nobody’s turn', async () => {
    const first = (await asking('GET', 'http://any.test/small')).forward?.endpoint;
    for (let i = 0; i < 3; i++) {
      expect((await asking('GET', 'http://any.test/small')).forward?.endpoint).toBe(first);
    }
    expect((await ask(httpPort, '/small')).body).toBe(
      origins.find(({ address }) => address === first)?.name,
    );
  });

  it('may be none, and the reason says so', async () => {
    const { forward, answer } = await asking('GET', 'http://any.test/none');
    expect(forward).toMatchObject({ endpoint: undefined, reason: 'no endpoint can be chosen' });
    expect(answer).toMatchObject({ status: 503, code: 'no_healthy_endpoint' });
    expect((await ask(httpPort, '/none')).status).toBe(503);
  });
});

describe('a canary', () => {
  it('tells on which of its targets the lot fell, and all weights', async () => {
    const { targets, forward } = await asking('GET', 'http://any.test/canary');
    expect(targets).toEqual([
      { target: 'orders where version=v1', weight: 0, won: false },
      { target: 'orders where version=v2', weight: 5, won: true },
      { target: 'redirect', weight: 0, won: false },
      { target: 'respond 204', weight: 0, won: false },
    ]);
    expect(forward?.endpoint).toBe(origins[1]!.address);
  });

  it('is not told of where there is one target', async () => {
    expect((await asking('GET', 'http://any.test/small')).targets).toEqual([]);
  });
});

describe('what the gateway answers itself', () => {
  it('is told by its status', async () => {
    expect((await asking('GET', 'http://any.test/hello')).answer).toMatchObject({ status: 200 });
    expect((await asking('GET', 'http://any.test/moved')).answer).toMatchObject({ status: 302 });
    expect((await asking('GET', 'http://any.test/a%2Fb')).answer).toMatchObject({ status: 404 });
    expect((await asking('GET', 'http://any.test/%00')).answer).toMatchObject({
      status: 400,
      code: 'bad_request',
    });
  });
});

it('has sent nothing upstream, ever', () => {
  // What came was asked for by the tests themselves.
  const targets = origins.flatMap(({ asked }) => asked.map(({ target }) => target));
  expect(targets.toSorted()).toEqual(['/limited', '/limited', '/small']);
});
