import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAdminClient } from '../../src/cli/admin-client.ts';
import { services } from '../../src/cli/services.ts';
import { startAdmin, stopAdminsAfterEach } from '../admin/admin-fixture.ts';
import { createFolder } from '../gateway/config/config-file.ts';
import { freePorts } from '../redis/free-port.ts';
import { runVerb } from './verb-run.ts';

stopAdminsAfterEach();

/** Something else that speaks HTTP. */
async function serve(status: number, headers: Record<string, string>, body: string) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(status, headers).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('a verb that asks the admin API', () => {
  it('takes the token from the data directory here', async () => {
    const folder = await createFolder();
    const admin = await startAdmin({ dataDir: join(folder, '.meshgate') });
    const run = await runVerb(services, [], folder, { MESHGATE_ADMIN: admin.url });
    expect(run).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes an address with a slash at its end', async () => {
    const admin = await startAdmin();
    const env = { MESHGATE_ADMIN: `${admin.url}/`, MESHGATE_TOKEN: admin.token };
    expect(await runVerb(services, [], '/', env)).toMatchObject({ code: 0 });
  });

  it('says where a token is to be had where there is none', async () => {
    const { code, stdout, stderr } = await runVerb(services, [], await createFolder());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /MESHGATE_TOKEN is not set, and \.meshgate\/admin-token does not exist \(there is no meshgate\.yaml here/,
    );
    expect(stderr).toContain('in its data directory');
    expect(stderr).toContain('name that in MESHGATE_CONFIG');
  });

  it('takes an empty token for none', async () => {
    const env = { MESHGATE_TOKEN: '' };
    const { code, stderr } = await runVerb(services, [], await createFolder(), env);
    expect([code, stderr]).toEqual([1, expect.stringContaining('MESHGATE_TOKEN is not set')]);
  });

  it('tells each fault with its place and what helps', async () => {
    const problem = {
      detail: 'Two faults; nothing was changed.',
      errors: [
        { detail: 'is not known here', pointer: '#/to', hint: 'did you mean "orders"?' },
        { detail: 'is named', resource: '/v1/routes/a', pointer: '#/to' },
        { detail: 'is too long', parameter: 'name' },
        { detail: 'is odd' },
      ],
    };
    const { url } = await serve(422, {}, JSON.stringify(problem));
    const env = { MESHGATE_ADMIN: url, MESHGATE_TOKEN: 'x' };
    const { stderr } = await runVerb(services, [], '/', env);
    expect(stderr).toBe(`meshgate services: Two faults; nothing was changed.
#/to: is not known here (did you mean "orders"?)
/v1/routes/a #/to: is named
name: is too long
is odd
`);
  });

  it('says why the token that is there cannot be read', async () => {
    const folder = await createFolder();
    await mkdir(join(folder, '.meshgate', 'admin-token'), { recursive: true });
    const { code, stderr } = await runVerb(services, [], folder);
    expect(code).toBe(1);
    expect(stderr).toContain('admin-token cannot be read (EISDIR)');
  });

  it('says what address it tried and how to name another where nobody answers', async () => {
    const [port] = await freePorts(1);
    const env = { MESHGATE_ADMIN: `http://127.0.0.1:${port}`, MESHGATE_TOKEN: 'x' };
    const { code, stdout, stderr } = await runVerb(services, [], '/', env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `meshgate services: no admin API can be reached at http://127.0.0.1:${port} (ECONNREFUSED).
Is a node running there? Another address is named in MESHGATE_ADMIN, such as http://127.0.0.1:8001.\n`,
    );
  });

  it('says where the right token is where its own is refused', async () => {
    const admin = await startAdmin();
    const env = { MESHGATE_ADMIN: admin.url, MESHGATE_TOKEN: 'mg_wrong' };
    const { code, stderr } = await runVerb(services, [], '/', env);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /does not know the token[\s\S]*admin-token in the data directory[\s\S]*MESHGATE_ADMIN/,
    );
    expect(stderr).not.toContain('mg_wrong');
  });

  it.each(['127.0.0.1:8001', 'ftp://127.0.0.1', 'nowhere', ''])(
    'says what an address looks like where it is given %j',
    async (address) => {
      const env = { MESHGATE_ADMIN: address, MESHGATE_TOKEN: 'x' };
      const { code, stderr } = await runVerb(services, [], '/', env);
      expect(code).toBe(1);
      expect(stderr).toContain(`MESHGATE_ADMIN is no address of an admin API: "${address}"`);
    },
  );

  it('says that what answers is something else', async () => {
    for (const [status, body] of [
      [200, '<html>hello</html>'],
      [404, '{"error":"not found"}'],
    ] as const) {
      const { url } = await serve(status, {}, body);
      const env = { MESHGATE_ADMIN: url, MESHGATE_TOKEN: 'x' };
      const { code, stderr } = await runVerb(services, [], '/', env);
      expect(code).toBe(1);
      expect(stderr).toContain(`what answers at ${url} is no admin API (status ${status})`);
    }
  });

  it('takes its token nowhere else', async () => {
    const other = await serve(200, {}, '{}');
    const { url } = await serve(307, { location: other.url }, '');
    const env = { MESHGATE_ADMIN: url, MESHGATE_TOKEN: 'x' };
    expect(await runVerb(services, [], '/', env)).toMatchObject({ code: 1 });
    expect(other.asked).toEqual([]);
  });
});

describe('a list of the admin API', () => {
  it('is read to its last page', async () => {
    const pages = [
      { items: [1, 2], next_cursor: 'a b', staleness_seconds: 0 },
      { items: [3], next_cursor: null, staleness_seconds: 1.5 },
    ];
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      response.end(JSON.stringify(pages[asked.length - 1]));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const client = await openAdminClient({
      stdout: { write: () => true },
      stderr: { write: () => true },
      cwd: '/',
      env: {
        MESHGATE_ADMIN: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`,
        MESHGATE_TOKEN: 'x',
      },
    });
    expect(await client.list('v1/things', { of: 'a&b' })).toEqual({
      items: [1, 2, 3],
      stalenessSeconds: 1.5,
      missing: [],
    });
    expect(asked).toEqual([
      '/base/v1/things?of=a%26b&page_size=1000',
      '/base/v1/things?of=a%26b&page_size=1000&cursor=a+b',
    ]);
  });
});

it('a token file is read without its newline', async () => {
  const folder = await createFolder();
  const { url, asked } = await serve(
    200,
    {},
    JSON.stringify({ items: [], next_cursor: null, staleness_seconds: 0 }),
  );
  await mkdir(join(folder, '.meshgate'));
  await writeFile(join(folder, '.meshgate', 'admin-token'), 'mg_abc\n');
  await runVerb(services, [], folder, { MESHGATE_ADMIN: url });
  expect(asked).toEqual(['Bearer mg_abc', 'Bearer mg_abc']);
});
