import { createConnection } from 'node:net';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { useAccess } from '../../src/admin/access/access-control.ts';
import { createAttemptGuard } from '../../src/admin/access/attempt-guard.ts';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import { createRegistry } from '../../src/mesh/registry/registry.ts';
import { CLOCK, SILENT } from '../contracts/backplane-fixture.ts';
import { createFolder } from '../gateway/config/config-file.ts';
import { ScriptedBackplane } from '../mesh/registry/scripted-backplane.ts';
import { createTestTap, send, startAdmin, stopAdminsAfterEach } from './admin-fixture.ts';

stopAdminsAfterEach();

const PATHS = ['/v1/mesh/services', '/v1/mesh/endpoints', '/v1/mesh/nodes', '/v1/mesh/topology'];
const WEIGHT = '/v1/mesh/services/orders/endpoints/a/weight';

describe('who asks the admin API', () => {
  it.each([
    ['nothing', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['no token', { authorization: 'Bearer' }],
    ['a wrong token', { authorization: `Bearer mg_${'A'.repeat(43)}` }],
    ['two tokens', { authorization: 'Bearer a b' }],
  ])('with %s gets 401 at every path, one that is not there among them', async (_, headers) => {
    const admin = await startAdmin();
    for (const path of [...PATHS, '/', '/v1', '/v1/nothing', WEIGHT]) {
      const { status, headers: fields, body } = await send(admin.port, path, { headers });
      expect([path, status]).toEqual([path, 401]);
      expect(fields['www-authenticate']).toMatch(/^Bearer realm="meshgate"/);
      expect(fields['content-type']).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ code: 'unauthenticated', status: 401, instance: path });
    }
    const put = await send(admin.port, WEIGHT, { method: 'PUT', headers, body: { weight: 1 } });
    expect(put.status).toBe(401);
  });

  it('with the token, in any case of the scheme, is answered', async () => {
    const admin = await startAdmin();
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${admin.token}` };
      expect((await send(admin.port, PATHS[0]!, { headers })).status).toBe(200);
    }
  });

  it('with the token of another node is refused', async () => {
    const [one, other] = [await startAdmin(), await startAdmin()];
    const headers = { authorization: `Bearer ${other.token}` };
    const { status, headers: fields } = await send(one.port, PATHS[0]!, { headers });
    expect([status, fields['www-authenticate']]).toEqual([
      401,
      'Bearer realm="meshgate", error="invalid_token"',
    ]);
  });

  it('under the name of a stranger is refused, token or not', async () => {
    const admin = await startAdmin();
    for (const host of ['evil.example', `evil.example:${admin.port}`, '10.1.2.3']) {
      const { status, body } = await admin.ask(PATHS[0]!, { headers: { host } });
      expect([host, status, body['code']]).toEqual([host, 421, 'misdirected_request']);
    }
    const { status } = await admin.ask(PATHS[0]!, { headers: { host: 'localhost' } });
    expect(status).toBe(200);
  });

  it('without a Host, as HTTP/1.0 allows, is refused', async () => {
    const admin = await startAdmin();
    const socket = createConnection(admin.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write(`GET ${PATHS[0]!} HTTP/1.0\r\nAuthorization: Bearer ${admin.token}\r\n\r\n`);
    await once(socket, 'end');
    expect(answer).toMatch(/^HTTP\/1\.\d 421 /);
  });

  it('learns of nothing to be kept or guessed from an answer', async () => {
    const admin = await startAdmin();
    const { headers } = await admin.ask(PATHS[0]!);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a path of the admin API', () => {
  it('is refused at start where nobody said who may ask for it', () => {
    const app = fastify();
    const guard = createAttemptGuard(() => 0);
    useAccess(app, { verify: () => ({ refused: 'unknown' }), onUse: () => {}, guard });
    expect(() => app.get('/v1/open', () => 'all')).toThrow('who may ask for GET /v1/open');
    app.get('/v1/said', { config: { role: 'viewer' } }, () => 'all');
  });
});

describe('an admin API without a token', () => {
  it('stays closed, and the log says why', async () => {
    const dataDir = await createFolder();
    await writeFile(join(dataDir, 'admin-token'), 'password\n');
    const errors: object[] = [];
    const { port: backplane } = new ScriptedBackplane();
    const server = createAdminServer({
      address: { host: '127.0.0.1', port: 0 },
      registry: createRegistry(backplane),
      backplane,
      dataDir,
      tap: createTestTap(),
      clock: CLOCK,
      log: { ...SILENT, error: (fields) => errors.push(fields) },
    });
    expect(await server.start()).toBeUndefined();
    expect(errors).toEqual([{ reason: expect.stringContaining('admin-token has no admin token') }]);
    await server.stop();
  });
});

describe('an address that is taken', () => {
  it('is why the admin API does not start', async () => {
    const admin = await startAdmin();
    await expect(
      startAdmin({ address: { host: '127.0.0.1', port: admin.port } }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
