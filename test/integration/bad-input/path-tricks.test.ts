/** One path: what a plugin guards is what the router matched and what the upstream is asked for. */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startGateway, type TestGateway } from '../gateway-fixture.ts';
import { ask, expectNothingForwarded, get } from './doors.ts';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';

const KEY = 'a-key-that-only-admins-have';

let upstream: RecordingUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  gateway = await startGateway({
    services: { recorder: { endpoints: [{ address: upstream.address }] } },
    routes: [
      { name: 'admin', match: { path: '/admin/*' }, to: 'recorder', plugins: [{ 'api-key': {} }] },
      { name: 'files', match: { path: '/files/*' }, to: 'recorder', allowEncodedSlash: true },
      {
        name: 'stripped',
        match: { path: '/api/*' },
        to: 'recorder',
        rewrite: { stripPrefix: '/api' },
      },
      { name: 'open', match: { path: '/*' }, to: 'recorder' },
    ],
    consumers: [{ name: 'root', apiKeys: [{ hash: `sha256:${hash('sha256', KEY, 'hex')}` }] }],
  });
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

/** Paths that are below `/admin`, and the one they are to everybody. */
const guarded: readonly (readonly [target: string, canonical: string])[] = [
  ['/admin', '/admin'],
  ['/admin/', '/admin/'],
  ['/admin/x', '/admin/x'],
  ['//admin/x', '/admin/x'],
  ['///admin///x', '/admin/x'],
  ['/./admin/x', '/admin/x'],
  ['/admin/./x', '/admin/x'],
  ['/admin/x/..', '/admin/'],
  ['/%61dmin/x', '/admin/x'],
  ['/adm%69n', '/admin'],
  ['/%61%64%6d%69%6E/x', '/admin/x'],
  ['/x/../admin/x', '/admin/x'],
  ['/x/%2e%2e/admin/x', '/admin/x'],
  ['/x/%2E%2e/admin/x', '/admin/x'],
  ['/x/.%2e/admin/x', '/admin/x'],
  ['/x/%2e./admin/x', '/admin/x'],
  ['/%2e/admin/x', '/admin/x'],
  ['/x//../admin/x', '/admin/x'],
  ['/x/y/../../admin/x', '/admin/x'],
  ['\\admin\\x'.replace('\\', '/'), '/admin/x'],
  ['/x\\..\\admin/x', '/admin/x'],
  ['/\\admin/x', '/admin/x'],
  ['/files/../admin/x', '/admin/x'],
  ['/files/%2e%2e/admin/x', '/admin/x'],
  ['/api/../admin/x', '/admin/x'],
  ['/admin?x=/../open', '/admin?x=/../open'],
  ['/admin/%7euser', '/admin/~user'],
  ['/admin/%c3%a9', '/admin/%C3%A9'],
];

/** Paths that two readers might take for different ones. */
const refused: readonly string[] = [
  '/admin%2Fx',
  '/admin%2fx',
  '/admin%5Cx',
  '/x%2F..%2Fadmin',
  '/x/..%2Fadmin',
  '/x/..%2fadmin/y',
  '/x/..%5Cadmin',
  '/x/%2e%2e%2fadmin',
  '/x/..;/admin/x',
  '/x/..;a=b/admin/x',
  '/x/.;/admin/x',
  '/x/%2e%2e;/admin/x',
  '/x/..%3b/admin/x',
  '/files/..%2Fadmin',
  '/files/x%2F..%2F..%2Fadmin',
  '/files/..%5cadmin',
  '/../admin/x',
  '/%2e%2e/admin/x',
  '/x/../../admin/x',
  '/admin%00',
  '/admin/x%00.png',
  '/x%',
  '/x%2',
  '/x%zz',
  '/x%u002f',
];

/** What is not below `/admin`, and reaches the upstream in this form. */
const open: readonly (readonly [target: string, canonical: string])[] = [
  ['/a/%2e%2e/b', '/b'],
  ['/a/../b', '/b'],
  ['/a//b', '/a/b'],
  ['/a\\b', '/a/b'],
  ['/a/.', '/a/'],
  ['/', '/'],
  ['/adminx', '/adminx'],
  ['/ADMIN/x', '/ADMIN/x'],
  ['/admin/../x', '/x'],
  // Escaped twice, and decoded by nobody.
  ['/%2561dmin/x', '/%2561dmin/x'],
  ['/x/%252e%252e/admin', '/x/%252e%252e/admin'],
  ['/x/...', '/x/...'],
  ['/x/..y', '/x/..y'],
  ['/x?y=%2e%2e/%2F%00', '/x?y=%2e%2e/%2F%00'],
  ['/x%41%3f%23', '/xA%3F%23'],
  ['/x"<>^`{|}', '/x%22%3C%3E%5E%60%7B%7C%7D'],
  ['/files/a%2fb', '/files/a%2Fb'],
  ['/files/a%5Cb', '/files/a%5Cb'],
  ['/api//x', '/x'],
  ['/api/%2e/x', '/x'],
  ['/api/x', '/x'],
  ['/api', '/'],
];

const protocols = [
  ['HTTP/1.1', askByHttp1],
  ['HTTP/2', askByHttp2],
] as const;

describe.each(protocols)('over %s', (_name, askBy) => {
  it.for(guarded)('guards %s', async ([target, canonical]) => {
    expect(await askBy(target)).toBe(401);
    await expectNothingForwarded(gateway, upstream);
    upstream.forget();
    expect(await askBy(target, KEY)).toBe(200);
    expect(upstream.targets).toEqual([canonical]);
  });

  it.for(refused)('refuses %s', async (target) => {
    expect(await askBy(target, KEY)).toBe(400);
    await expectNothingForwarded(gateway, upstream);
  });

  it.for(open)('asks the upstream for %s in one form', async ([target, canonical]) => {
    expect(await askBy(target)).toBe(200);
    expect(upstream.targets).toEqual([canonical]);
  });
});

it.for([
  ['http://localhost/x/../admin/x', 401],
  ['http://localhost//admin', 401],
  ['HTTP://LOCALHOST:80/admin', 401],
  ['http://localhost/x%2fadmin', 400],
  ['http://localhost\\@other/admin', 400],
  ['http://localhost', 200],
  ['http://localhost?x', 200],
] as const)('reads the absolute form %s by the same rules', async ([target, status]) => {
  expect((await ask(gateway, get(target))).status).toBe(status);
});

it("tells the canonical path in a problem's instance and in the log, without the query", async () => {
  const { body } = await ask(gateway, get('/x/%2e%2e/%61dmin//y?token=secret'));
  expect(JSON.parse(body)).toMatchObject({ status: 401, instance: '/admin/y' });
  const { request_id: id } = JSON.parse(body) as { request_id: string };
  const line = await gateway.waitForLog(({ request_id: logged }) => logged === id);
  expect(line).toMatchObject({ path: '/admin/y', route: 'admin' });
  expect(JSON.stringify(line)).not.toContain('secret');
});

async function askByHttp1(target: string, key?: string): Promise<number> {
  const lines = key === undefined ? [] : [`X-API-Key: ${key}`];
  return (await ask(gateway, get(target, ...lines))).status;
}

async function askByHttp2(target: string, key?: string): Promise<number> {
  const session = connect(`http://127.0.0.1:${gateway.httpPort}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':path': target,
    ':authority': 'localhost',
    ...(key !== undefined && { 'x-api-key': key }),
  });
  const [fields] = (await once(stream, 'response')) as [{ ':status': number }];
  await once(stream.resume(), 'close');
  session.destroy();
  return fields[':status'];
}
