/** `meshgate explain`, as a user runs it, without a gateway that runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { createExplain } from '../../../src/cli/explain.ts';
import type { Explanation } from '../../../src/gateway/explain/explain.ts';
import { explainedConfig } from './explained-config.ts';
import { startOrigins, type Origin } from './origin.ts';
import { createTokenIssuer } from './token-issuer.ts';

let folder: string;
let origins: Origin[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshgate-explain-'));
  origins = await startOrigins('v1', 'v2');
  const config = explainedConfig(origins, await createTokenIssuer());
  await writeFile(join(folder, 'meshgate.yaml'), JSON.stringify(config));
});
afterAll(async () => {
  await Promise.all(origins.map((origin) => origin.stop()));
  await rm(folder, { recursive: true });
});

/** Exit code and output. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await createExplain(createApp).run(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    cwd: folder,
  });
  return { code, out, err };
}

it('says of a limit that it may be used up, since it looks at no node', async () => {
  const { code, out } = await run('GET', 'http://any.test/limited');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^plugin +rate-limit \(edge\): lets it through unless the limit of 2 in 1h is used up$/m,
  );
});

it('prints the whole story, and ends with 0 where the request would pass', async () => {
  const { code, out } = await run('GET', 'http://api.test/orders/1', '-H', 'x-env: canary');
  expect(code).toBe(0);
  expect(out).toMatch(/^listener +http$/m);
  expect(out).toMatch(/^route +\* canary \(match 0\): exact host api\.test/m);
  expect(out).toMatch(/^ +orders \(match 0\): host: expected other\.test, got api\.test$/m);
  expect(out).toMatch(/^plugin +headers \(shape\): lets it through$/m);
  expect(out).toMatch(/^service +orders$/m);
  expect(out).toMatch(/^upstream +\/1 \(Host: inside\.test\)$/m);
  expect(out).toContain(`endpoint  ${origins[1]!.address}: round-robin`);
  expect(out).toMatch(/^result +forwarded$/m);
});

it('tells on which target the lot fell, and all weights', async () => {
  const { out } = await run('GET', 'http://any.test/canary');
  expect(out).toMatch(/^target {2}\* orders where version=v2: weight 5 of 5, drawn by lot/m);
  expect(out).toMatch(/^ {10}orders where version=v1: weight 0 of 5$/m);
});

it('ends with 1 where it would be refused', async () => {
  const { code, out } = await run('get', 'http://api.test/orders/1');
  expect(code).toBe(1);
  expect(out).toMatch(/^plugin +jwt \(authenticate\): answers 401 unauthenticated/m);
  expect(out).toMatch(/^result +401 unauthenticated/m);
  expect(out).not.toMatch(/^(service|upstream|endpoint|target)/m);
});

it('ends with 1 and says 503 where no endpoint can be chosen', async () => {
  const { code, out } = await run('GET', 'http://any.test/none');
  expect(code).toBe(1);
  expect(out).toMatch(/^endpoint +none: no endpoint can be chosen$/m);
  expect(out).toMatch(/^result +503 no_healthy_endpoint/m);
});

it('and where the name of the service leads nowhere', async () => {
  const config = {
    meshgate: 1,
    listeners: [{ name: 'http', address: '127.0.0.1:0' }],
    services: { away: { discover: { dns: { name: 'away.invalid', type: 'A', port: 80 } } } },
    routes: [{ name: 'away', to: 'away' }],
  };
  await writeFile(join(folder, 'dns.yaml'), JSON.stringify(config));
  const { code, out, err } = await run('GET', 'http://a.test/', '--config', 'dns.yaml');
  expect([code, err]).toEqual([1, '']);
  expect(out).toMatch(/^result +503 no_healthy_endpoint/m);
});

it('shows of many routes those that came closest, and all when asked to', async () => {
  const routes = Array.from({ length: 200 }, (_, i) => {
    return { name: `r${i}`, match: [{ path: `/${i}/x` }], respond: { status: 200 } };
  });
  const near = { name: 'near', match: [{ path: '/100/*' }], respond: { status: 204 } };
  const config = { meshgate: 1, routes: [...routes, near] };
  await writeFile(join(folder, 'many.yaml'), JSON.stringify(config));
  const ask200 = ['GET', 'http://a.test/100/x', '--config', 'many.yaml'];
  const { out } = await run(...ask200);
  expect(out).toMatch(/^route +\* r100 /m);
  expect(out).toMatch(/^ +near \(match 0\): outranked by r100/m);
  expect(out).toMatch(/^ +r109 \(match 0\): path/m);
  expect(out).toMatch(/^ +and 180 more that lost; --all shows them$/m);
  expect(out.match(/\(match 0\)/g)!.length).toBeLessThan(25);
  expect((await run(...ask200, '--all')).out).toMatch(/^ +r199 \(match 0\)/m);
  const json = JSON.parse((await run(...ask200, '--json')).out) as Explanation;
  expect(json.routes).toHaveLength(201);
});

it('prints JSON when asked to', async () => {
  const { code, out } = await run('POST', 'http://any.test/small', '-d', 'long', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ listener: 'http', answer: { status: 413 } });
});

it('takes the listener whose name it is', async () => {
  const { out } = await run('GET', 'http://admin.test/hello', '--json');
  expect(JSON.parse(out)).toMatchObject({ listener: 'admin', answer: { status: 200 } });
});

it.each([
  [[], /METHOD and an absolute URL/],
  [['GET'], /METHOD and an absolute URL/],
  [['GET', '/orders'], /METHOD and an absolute URL/],
  [['GET', 'http://a.test/', '-H', 'nonsense'], /not "name: value"/],
  [['GET', 'https://a.test/'], /no listener .* speaks https/],
])('ends with 2 on misuse: %j', async (argv, message) => {
  const { code, out, err } = await run(...argv);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(message);
});

it('ends with 1, and every error, where the configuration is bad', async () => {
  await writeFile(
    join(folder, 'bad.yaml'),
    'meshgate: 1\nroutes:\n  - { name: a, to: nobody }\n  - { name: b, too: x }\n',
  );
  const { code, err } = await run('GET', 'http://a.test/', '--config', 'bad.yaml');
  expect(code).toBe(1);
  expect(err).toMatch(/bad\.yaml:3:\d+/);
  expect(err).toMatch(/bad\.yaml:4:\d+/);
});

it('has sent nothing upstream, ever', () => {
  expect(origins.flatMap(({ asked }) => asked)).toEqual([]);
});
