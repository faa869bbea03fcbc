/** Every error of the surface, provoked through a socket: what the caller is told, and what log and metrics are. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ERROR_REFERENCE } from '../../../config/error-reference.ts';
import type * as standard from '../../../src/plugins/standard.ts';
import { toProxyStatus } from '../../../src/gateway/rescue/proxy-status.ts';
import { ask, fieldOf, get, knock } from '../bad-input/doors.ts';
import { startGateway, until } from '../gateway-fixture.ts';
import { SECRET } from './bad-plugins.ts';
import { KEY, startErrorGateway, TOKEN, type ErrorGateway } from './error-gateway.ts';
import { provocations, type Provocation } from './provocations.ts';
import { toBytes, toSeries } from './provocation-forms.ts';
import { refusals, tooSlow } from './refusals.ts';

// Beside the built-in plugins, some that no catalogue would have.
vi.mock('../../../src/plugins/standard.ts', async (original) => {
  const { standardPlugins } = await original<typeof standard>();
  const { badPlugins } = await import('./bad-plugins.ts');
  return { standardPlugins: new Map([...standardPlugins, ...badPlugins]) };
});

let errors: ErrorGateway;
/** Codes that a test has seen in an answer. */
const seen = new Set<string>();

beforeAll(async () => {
  errors = await startErrorGateway();
});
beforeEach(() => errors.healthy.forget());
afterAll(() => errors?.stop());

describe('what ends badly', () => {
  const cases: readonly (Provocation & { readonly bytes: string })[] = [
    ...provocations.map((each) => ({ ...each, bytes: toBytes(each) })),
    ...refusals,
  ];
  const answers = new Map<Provocation, Awaited<ReturnType<typeof ask>>>();

  // All at once: the access log is written in batches, and waiting for each would take its time.
  it('is answered, every time', async () => {
    await Promise.all(
      cases.map(async (each) => answers.set(each, await ask(errors.gateway, each.bytes))),
    );
    expect(answers.size).toBe(cases.length);
  });

  it.for(cases)('is told to the caller and the log: $code, by $name', async (provocation) => {
    const line = await expectProblem(provocation, answers.get(provocation)!);
    expect(line).toMatchObject({
      listener: 'http',
      protocol: 'http/1.1',
      client_ip: '127.0.0.1',
      ...(provocation.target !== '' && {
        method: provocation.method ?? 'GET',
        route: provocation.route ?? '',
        service: provocation.service ?? '',
      }),
    });
  });

  it('is counted, once each', async () => {
    const expected = new Map<string, number>();
    for (const each of cases) {
      const series = toSeries(each);
      expected.set(series, (expected.get(series) ?? 0) + 1);
    }
    const lines = (await errors.gateway.metrics()).split('\n');
    for (const [series, count] of expected) expect(lines).toContain(`${series} ${count}`);
  });
});

it('request_timeout: a head that never ends', async () => {
  const hasty = await startGateway({
    listeners: [{ name: 'http', address: '127.0.0.1:0', limits: { headerTimeout: '250ms' } }],
  });
  try {
    await expectProblem(tooSlow, await ask(hasty, tooSlow.bytes), hasty);
    expect(await hasty.metrics()).toContain(`${toSeries(tooSlow)} 1\n`);
  } finally {
    await hasty.stop();
  }
});

it('rate_limited: a limit that is used up', async () => {
  expect((await ask(errors.gateway, get('/limited'))).status).toBe(200);
  const provocation: Provocation = {
    name: '',
    code: 'rate_limited',
    target: '/limited',
    route: 'limited',
    fields: {
      'retry-after': /^[1-9]\d*$/,
      'ratelimit-policy': /^"limited";q=1;w=3600$/,
      ratelimit: /^"limited";r=0;t=[1-9]\d*$/,
    },
    reason: /./,
  };
  await expectProblem(provocation, await ask(errors.gateway, get('/limited')));
  expect(await errors.gateway.metrics()).toMatch(
    /^meshgate_rate_limited_total\{route="limited"\} 1$/m,
  );
});

it('circuit_open: more requests in flight than the service may have', async () => {
  const pending = Promise.withResolvers<() => void>();
  errors.healthy.answering = (_request, response) => pending.resolve(() => response.end('late'));
  const first = await knock(errors.gateway);
  first.send(get('/narrow/first'));
  const release = await pending.promise;
  const provocation: Provocation = {
    name: '',
    code: 'circuit_open',
    target: '/narrow/second',
    route: 'narrow',
    service: 'narrow',
    reason: /maxRequests of narrow/,
  };
  await expectProblem(provocation, await ask(errors.gateway, toBytes(provocation)));
  expect(errors.healthy.targets).toEqual(['/narrow/first']);
  release();
  expect(await first.untilEnd()).toContain('late');
});

it('circuit_open: more requests that wait for a connection than may', async () => {
  const pending = Promise.withResolvers<() => void>();
  errors.healthy.answering = (_request, response, { target }) => {
    if (target.endsWith('first')) pending.resolve(() => response.end('late'));
    else response.end('in turn');
  };
  const first = await knock(errors.gateway);
  first.send(get('/crowded/first'));
  const release = await pending.promise;
  // Of two more, one may wait; which one is asked first is not ours to say.
  const others = [knock(errors.gateway), knock(errors.gateway)].map(async (knocked) =>
    (await knocked).send(get('/crowded/other')).untilEnd(),
  );
  const refused = await Promise.race(others);
  expect(refused.slice(9, 12)).toBe('503');
  expect(refused).toContain('"code":"circuit_open"');
  release();
  expect(await first.untilEnd()).toContain('late');
  expect((await Promise.all(others)).filter((text) => text.includes('in turn'))).toHaveLength(1);
});

it('overloaded: a gateway that is short of memory', async () => {
  const rss = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(Number.MAX_SAFE_INTEGER);
  try {
    await until(async () =>
      (await ask(errors.gateway, get('/healthy'))).status === 503 ? true : undefined,
    );
    const provocation: Provocation = {
      name: '',
      code: 'overloaded',
      target: '/healthy',
      instance: '',
      fields: { 'retry-after': /^1$/ },
      reason: /^memory at \d+ MiB$/,
    };
    await expectProblem(provocation, await ask(errors.gateway, get('/healthy')));
    // Probes and metrics are not shed.
    const { statusPort } = errors.gateway;
    expect((await fetch(`http://127.0.0.1:${statusPort}/livez`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${statusPort}/metrics`)).status).toBe(200);
  } finally {
    rss.mockRestore();
  }
  await until(async () =>
    (await ask(errors.gateway, get('/healthy'))).status === 200 ? true : undefined,
  );
});

it('client_closed_request: a client that leaves is logged, and its upstream let go', async () => {
  errors.healthy.answering = () => undefined;
  const client = await knock(errors.gateway);
  client.send(get('/healthy/left'));
  await errors.healthy.until(({ requests }) => requests[0]?.complete === true);
  client.socket.destroy();
  await errors.healthy.until(({ requests }) => requests[0]!.closed);
  const line = await errors.gateway.waitForLog(({ path }) => path === '/healthy/left');
  expect(line).toMatchObject({
    code: 'client_closed_request',
    status: 499,
    route: 'healthy',
    reason: 'the client left before there was an answer',
  });
  seen.add('client_closed_request');
});

it('drain_timeout: what a closing listener cuts is not put down to the client', async () => {
  errors.healthy.answering = () => undefined;
  const listener = { name: 'http', address: '127.0.0.1:0', limits: { drain: '50ms' } };
  const gateway = await startGateway({
    listeners: [listener],
    services: { healthy: { endpoints: [{ address: errors.healthy.address }] } },
    routes: [{ name: 'all', match: [{ path: '/*' }], to: 'healthy' }],
  });
  try {
    const client = await knock(gateway);
    client.send(get('/cut'));
    await errors.healthy.until(({ requests }) => requests[0]?.complete === true);
    await gateway.reconfigure({ listeners: [{ ...listener, name: 'next' }], routes: [] });
    expect(await gateway.waitForLog(({ path }) => path === '/cut')).toMatchObject({
      code: 'drain_timeout',
      status: 503,
      reason: 'the listener had no more time to drain',
    });
    seen.add('drain_timeout');
  } finally {
    await gateway.stop();
  }
});

describe('a plugin that breaks more than its request', () => {
  it('is cut off where not even a refusal can be made, and the gateway lives', async () => {
    const client = await knock(errors.gateway);
    expect(await client.send(get('/arsonist')).untilClosed()).toBe('');
    const line = await errors.gateway.waitForLog(({ route }) => route === 'arsonist');
    expect(line).toMatchObject({
      code: 'internal',
      reason: expect.stringContaining('cannot read'),
    });
    expect((await ask(errors.gateway, get('/healthy'))).status).toBe(200);
  });

  it.for(['null', 'body', 'status', 'promise'])(
    'fails its request where its answer is none: %s',
    async (by) => {
      const answer = await ask(errors.gateway, get(`/answers-${by}`));
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([500, 'plugin_failed']);
      expectNothingInternal(answer.head + answer.body);
    },
  );

  it.for(['torn-now', 'torn-later'])(
    'is cut off where the answer cannot be sent any more: %s',
    async (route) => {
      const client = await knock(errors.gateway);
      expect(await client.send(get(`/${route}`)).untilClosed()).toBe('');
      const line = await errors.gateway.waitForLog(({ route: logged }) => logged === route);
      expect(line).toMatchObject({ code: 'internal' });
    },
  );

  it.for(['failing-download', 'stopping-download'])(
    'truncates the answer it breaks: %s',
    async (route) => {
      const client = await knock(errors.gateway);
      const text = await client.send(get(`/${route}`)).untilClosed();
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(text).not.toMatch(/0\r\n\r\n$/);
      expectNothingInternal(text);
      const line = await errors.gateway.waitForLog(({ route: logged }) => logged === route);
      expect(line).toMatchObject({ code: 'plugin_failed' });
    },
  );

  it('is logged without what it put into the log', async () => {
    expect((await ask(errors.gateway, get('/babbling'))).status).toBe(200);
    const line = await errors.gateway.waitForLog(({ route }) => route === 'babbling');
    expect(line).toMatchObject({ status: 200, method: 'GET', path: '/babbling' });
  });
});

describe('the documented errors', () => {
  it('have all been provoked by the tests above', () => {
    expect(Object.keys(ERROR_REFERENCE).filter((code) => !seen.has(code))).toEqual([]);
  });
});

/** Checks what the caller was told; resolves with the line of the access log. */
async function expectProblem(
  { code, target, fields = {}, reason, ...provocation }: Provocation,
  { status, head, body }: { readonly status: number; readonly head: string; readonly body: string },
  gateway = errors.gateway,
): Promise<Record<string, unknown>> {
  const expected = provocation.status ?? ERROR_REFERENCE[code].status;
  expect(status).toBe(expected);
  expect(fieldOf(head, 'content-type')).toBe('application/problem+json');
  expect(fieldOf(head, 'cache-control')).toBe('no-store');
  expect(fieldOf(head, 'proxy-status')).toBe(
    provocation.proxyStatus === undefined
      ? toProxyStatus(code, undefined)
      : `meshgate; error=${provocation.proxyStatus}`,
  );
  for (const [name, value] of Object.entries(fields)) expect(fieldOf(head, name)).toMatch(value);

  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(problem).toMatchObject({
    type: `urn:meshgate:problem:${code}`,
    status: expected,
    code,
    source: 'gateway',
    request_id: fieldOf(head, 'x-request-id'),
  });
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${expected} ${String(problem['title'])}\r\n`));
  expect(problem['detail']).toMatch(/^[A-Z].*\.$/);
  expect(problem['instance'] ?? '').toBe(provocation.instance ?? target);
  expectNothingInternal(head + body);

  const line = await gateway.waitForLog(
    ({ request_id: logged }) => logged === problem['request_id'],
  );
  expect(line).toMatchObject({ status: expected, code });
  expect(line['reason']).toMatch(reason);
  expect(JSON.stringify(line)).not.toContain(TOKEN);
  expect(JSON.stringify(line)).not.toContain(KEY);
  seen.add(code);
  return line;
}

/** No stack, no secret, no address of a machine behind the gateway. */
function expectNothingInternal(text: string): void {
  for (const secret of [SECRET, KEY, TOKEN, TOKEN.split('.')[1]!])
    expect(text).not.toContain(secret);
  expect(text).not.toMatch(/\bat \S+ \(|node:internal|\.ts:\d|\/src\/|node_modules/);
  expect(text).not.toMatch(/127\.0\.0\.1|ECONN|Error:|postgres/);
}
