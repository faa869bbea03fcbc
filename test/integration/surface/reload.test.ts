/** Hot reload: what changes, what stays, and what a bad file does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createSigningKey, startJwksServer, type JwksServer } from '../../plugins/jwt/issuer.ts';
import { connectRaw } from '../../gateway/exchange/raw-client.ts';
import { startGateway, until, type TestGateway } from '../gateway-fixture.ts';
import { ask } from './client.ts';
import { startOrigins, type Origin } from './origin.ts';
import { createRecordedLog } from './recorded-log.ts';

let gateway: TestGateway;
let old: Origin;
let fresh: Origin;
let jwks: JwksServer;
const log = createRecordedLog();

const answering = (name: string, body: string): object => ({
  name,
  match: [{ path: `/${name}` }],
  respond: { body },
});

/** What does not change between two versions, and must not notice. */
function lasting(): { routes: object[]; services: Record<string, object> } {
  return {
    services: { old: { endpoints: [{ address: old.address }] } },
    routes: [
      { name: 'old', match: [{ path: '/old' }], to: 'old' },
      {
        name: 'limited',
        match: [{ path: '/limited' }],
        respond: { body: 'hi' },
        plugins: [{ 'rate-limit': { limit: 3, window: '1h', by: 'route' } }],
      },
      {
        name: 'token',
        match: [{ path: '/token' }],
        respond: { body: 'hi' },
        plugins: [{ jwt: { jwks: jwks.url, allowPrivateAddresses: true } }],
      },
    ],
  };
}

function version(body: string): Record<string, unknown> {
  const { services, routes } = lasting();
  return { services, routes: [...routes, answering('version', body)] };
}

beforeAll(async () => {
  [old, fresh] = (await startOrigins('old', 'fresh')) as [Origin, Origin];
  jwks = await startJwksServer([await createSigningKey('ES256', 'a')]);
  gateway = await startGateway(version('1'), { STAGE: 'test' }, log);
});
afterAll(() => Promise.all([gateway.stop(), old.stop(), fresh.stop(), jwks.close()]));
beforeEach(() => {
  for (const origin of [old, fresh]) {
    origin.asked.splice(0);
    origin.answer = (_asked, response) => response.end(origin.name);
  }
});

async function apply(config: object): Promise<void> {
  expect(await gateway.reconfigure(config)).toMatchObject({ successful: true });
}

it('swaps routes, and counts the revision', async () => {
  expect((await ask(gateway.httpPort, '/version')).body).toBe('1');
  await apply(version('2'));
  expect((await ask(gateway.httpPort, '/version')).body).toBe('2');
  expect(await gateway.metrics()).toContain('meshgate_config_revision 2');
});

it('lets what is in flight finish as it began, and keeps connections of what has not changed', async () => {
  const [socket, session] = [
    await connectRaw(gateway.httpPort),
    connectHttp2(`http://127.0.0.1:${gateway.httpPort}`),
  ];
  const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const onHttp2 = async (path: string): Promise<unknown> => {
    const [headers] = (await once(session.request({ ':path': path }), 'response')) as [
      Record<string, unknown>,
    ];
    return headers[':status'];
  };
  await socket.send(GET('/old')).untilText('old');
  expect(await onHttp2('/old')).toBe(200);

  // Held by the service while its route, and the service itself, are taken away.
  let finish: () => void = () => undefined;
  old.answer = (_asked, response) => {
    response.writeHead(200, { 'x-part': '1' }).write('first, ');
    finish = () => response.end('second');
  };
  const inFlight = ask(gateway.httpPort, '/old');
  await old.request(3);
  await apply({ routes: [answering('version', '3')] });
  expect((await ask(gateway.httpPort, '/old')).status).toBe(404);
  finish();
  expect(await inFlight).toMatchObject({ status: 200, body: 'first, second' });

  // The downstream connections have outlived two snapshots.
  old.answer = (_asked, response) => response.end('old again');
  await apply(version('4'));
  await socket.send(GET('/old')).untilText('old again');
  expect(await onHttp2('/old')).toBe(200);
  session.destroy();
});

it('keeps services with their connections, and plugins with their caches', async () => {
  const token = { authorization: 'Bearer e30.e30.e30' };
  await ask(gateway.httpPort, '/old');
  await ask(gateway.httpPort, '/token', { headers: token });
  const { requests } = jwks;
  await apply(version('5'));
  await ask(gateway.httpPort, '/old');
  await ask(gateway.httpPort, '/token', { headers: token });
  const [before, after] = old.asked;
  expect(after!.remotePort).toBe(before!.remotePort);
  expect(requests).toBeGreaterThan(0);
  expect(jwks.requests).toBe(requests);
});

it('keeps the counts of rate limits, even where the limit changes', async () => {
  const status = async (): Promise<number> => (await ask(gateway.httpPort, '/limited')).status;
  expect([await status(), await status()]).toEqual([200, 200]);
  const config = version('6');
  const text = JSON.stringify(config).replace('"limit":3', '"limit":4');
  await apply(JSON.parse(text) as object);
  expect([await status(), await status(), await status()]).toEqual([200, 200, 429]);
});

it('refuses a bad file whole, and says so in the log, the metric and /readyz', async () => {
  await apply(version('good'));
  const revision = /^meshgate_config_revision \d+$/m.exec(await gateway.metrics())![0];
  const { services, routes } = lasting();
  const report = await gateway.reconfigure({
    services,
    routes: [
      ...routes,
      answering('version', 'bad'),
      { name: 'dangling', match: [{ path: '/x' }], to: 'odl' },
      { name: 'unknown', match: [{ paht: '/x' }], to: 'old' },
    ],
  });
  expect(report.successful).toBe(false);
  expect(report.errors).toHaveLength(2);
  expect(report.errors.join('\n')).toMatch(/routes\[4\]\.to.*odl[^]*"old"/);
  expect(report.errors.join('\n')).toMatch(/routes\[5\]\.match\[0\]\.paht[^]*path/);

  expect((await ask(gateway.httpPort, '/version')).body).toBe('good');
  expect((await ask(gateway.httpPort, '/old')).body).toBe('old');
  const metrics = await gateway.metrics();
  expect(metrics).toContain('meshgate_config_last_reload_successful 0');
  expect(metrics).toContain(revision);
  // It still serves well: the node stays ready.
  expect((await ask(gateway.statusPort, '/readyz')).status).toBe(200);
  const { level, fields } = await log.entry(/refused/);
  expect(level).toBe('error');
  expect(fields['errors']).toEqual(report.errors);

  await apply(version('mended'));
  expect((await ask(gateway.httpPort, '/version')).body).toBe('mended');
  expect(await gateway.metrics()).toContain('meshgate_config_last_reload_successful 1');
});

it('refuses a file that is no YAML, with the place of the fault', async () => {
  const before = JSON.parse((await ask(gateway.statusPort, '/readyz')).body) as object;
  await writeFile(gateway.configFile, 'meshgate: 1\nroutes: [\n  { name: a');
  const report = await until(async () => {
    const now = JSON.parse((await ask(gateway.statusPort, '/readyz')).body) as {
      last_reload: { successful: boolean; errors: string[] };
    };
    return JSON.stringify(now) === JSON.stringify(before) ? undefined : now;
  });
  expect(report.last_reload.successful).toBe(false);
  expect(report.last_reload.errors[0]).toMatch(/meshgate\.yaml:3:\d+/);
  expect((await ask(gateway.httpPort, '/version')).body).toBe('mended');
});

it('follows a secret’s file as well', async () => {
  const file = join(gateway.directory, 'greeting');
  await writeFile(file, 'hello');
  await apply({ routes: [answering('secret', `\${STAGE}: \${file:${file}}`)] });
  expect((await ask(gateway.httpPort, '/secret')).body).toBe('test: hello');
  let written = -Infinity;
  await until(async () => {
    // Again after a while: whether a change right after a reload is noticed is the watcher's test.
    if (performance.now() - written > 4000) {
      await writeFile(file, 'good evening');
      written = performance.now();
    }
    const { body } = await ask(gateway.httpPort, '/secret');
    return body === 'test: good evening' ? true : undefined;
  });
});

/** Loading gives way to requests, which on a machine that is busy with other tests takes its time. */
const BUSY = { timeout: 60_000 };

it('swaps 2,000 routes while requests flow, and fails none of them', BUSY, async () => {
  const many = (body: string): object => ({
    services: lasting().services,
    routes: [
      ...Array.from({ length: 2000 }, (_, i) => ({
        name: `r${i}`,
        match: [{ hosts: [`h${i % 50}.test`], path: `/p/${i}/*` }],
        to: 'old',
        plugins: [{ headers: { response: { set: { 'x-version': body } } } }],
      })),
      answering('version', body),
    ],
  });
  await apply(many('a'));
  const versions = new Set<string>();
  const failures: unknown[] = [];
  const swapped = new AbortController();
  const flow = Array.from({ length: 4 }, async (_, worker) => {
    for (let i = worker; !swapped.signal.aborted; i = (i + 41) % 2000) {
      const host = `h${i % 50}.test`;
      const reply = await ask(gateway.httpPort, `/p/${i}/x`, { host }).catch(
        (error: unknown) => error,
      );
      if (reply instanceof Error) failures.push(reply);
      else {
        const { status, body, headers } = reply as Awaited<ReturnType<typeof ask>>;
        if (status !== 200 || body !== 'old') failures.push([status, body]);
        versions.add(String(headers['x-version']));
      }
    }
  });
  await apply(many('b'));
  expect((await ask(gateway.httpPort, '/version')).body).toBe('b');
  swapped.abort();
  await Promise.all(flow);
  expect(failures).toEqual([]);
  expect([...versions]).toContain('a');
});
