import { once } from 'node:events';
import { createConnection } from 'node:net';
import { Ajv } from 'ajv';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AuditEntry } from '../../src/admin/access/audit-entry.ts';
import { dayOf } from '../../src/admin/access/audit-days.ts';
import type { Backplane } from '../../src/mesh/backplane/backplane.ts';
import { createRegistry } from '../../src/mesh/registry/registry.ts';
import { SILENT } from '../contracts/backplane-fixture.ts';
import { EACH_BACKPLANE, usePair } from '../redis/each-backplane.ts';
import { send, startAdmin, stopAdminsAfterEach, type TestAdmin } from './admin-fixture.ts';
import { askWith, makeToken } from './token-fixture.ts';
import { toUnsteady, type UnsteadyBackplane } from './unsteady-backplane.ts';

stopAdminsAfterEach();

const isEntry = new Ajv({ strict: false }).compile(AuditEntry);
const WEIGHT = '/v1/mesh/services/orders/endpoints/a/weight';

async function entriesOf(admin: TestAdmin, query = ''): Promise<AuditEntry[]> {
  const { status, body } = await admin.ask(`/v1/audit${query}`);
  expect(status).toBe(200);
  const items = body['items'] as AuditEntry[];
  expect(items.filter((item) => !isEntry(item))).toEqual([]);
  return items;
}

const inShort = ({ author, method, path, outcome, status, code }: AuditEntry): string =>
  [author, method, path, outcome, status, code].join(' ');

describe('the audit log', () => {
  it('has every write and every refusal, the newest first, and no mere reading', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = { ...SILENT, info: (fields: object) => void lines.push({ ...fields }) };
    const admin = await startAdmin({ node: 'edge-1', log });
    await admin.register('orders', { id: 'a', host: '10.0.0.1', port: 80 });
    await admin.ask('/v1/mesh/services');
    await admin.ask('/v1/nothing');
    const made = await makeToken(admin, { name: 'ci' });
    await askWith(admin, made.token, '/v1/tokens?name=x');
    await admin.ask(`${WEIGHT}?x=secret`, { method: 'PUT', body: { weight: 2 } });
    await admin.ask(WEIGHT, { method: 'PUT', body: { weight: -2 } });
    await admin.ask('/v1/nothing', { method: 'DELETE' });
    await admin.ask('/v1/mesh/services?page_size=0');
    await send(admin.port, '/v1/mesh/services');
    await admin.ask(WEIGHT, { method: 'PUT', headers: { host: 'evil.example' }, body: {} });
    const entries = await entriesOf(admin);
    expect(entries.map(inShort)).toEqual([
      ` PUT ${WEIGHT} refused 421 misdirected_request`,
      ' GET /v1/mesh/services refused 401 unauthenticated',
      'admin-token GET /v1/mesh/services refused 422 invalid',
      'admin-token DELETE /v1/nothing refused 404 not_found',
      `admin-token PUT ${WEIGHT} refused 422 invalid`,
      `admin-token PUT ${WEIGHT} done 200 `,
      'ci GET /v1/tokens refused 403 forbidden',
      'admin-token POST /v1/tokens done 201 ',
    ]);
    expect(entries.at(-1)).toMatchObject({
      token_id: 'local',
      role: 'admin',
      node: 'edge-1',
      source: '127.0.0.1',
      location: `/v1/tokens/${made.id}`,
    });
    // The same, in the log of the node.
    const told = lines.filter(({ audit }) => audit === true);
    expect(told).toEqual(entries.toReversed().map((entry) => ({ audit: true, ...entry })));
    expect(JSON.stringify(told)).not.toMatch(/mg_|secret/);
  });

  it('is read by pages and filters', async () => {
    const admin = await startAdmin();
    const { token } = await makeToken(admin, { name: 'ci' });
    for (let i = 0; i < 5; i++) await askWith(admin, token, `/v1/tokens/${i}`);
    const paths = async (query: string): Promise<string[]> =>
      (await entriesOf(admin, query)).map(({ path }) => path);
    expect(await paths('?author=ci&path=/v1/tokens/')).toHaveLength(5);
    expect(await paths('?author=admin-token')).toEqual(['/v1/tokens']);
    expect(await paths('?outcome=done')).toEqual(['/v1/tokens']);
    expect(await paths('?path=/v1/tokens/3')).toEqual(['/v1/tokens/3']);

    const seen: string[] = [];
    let cursor = '';
    for (;;) {
      const { body } = await admin.ask(`/v1/audit?page_size=4${cursor}`);
      seen.push(...(body['items'] as AuditEntry[]).map(({ path }) => path));
      if (body['next_cursor'] === null) break;
      cursor = `&cursor=${body['next_cursor'] as string}`;
    }
    expect(seen).toEqual([4, 3, 2, 1, 0].map((i) => `/v1/tokens/${i}`).concat('/v1/tokens'));

    const [newest] = await entriesOf(admin, '?page_size=1');
    const at = encodeURIComponent(newest!.at);
    expect((await entriesOf(admin, `?since=${at}`))[0]).toEqual(newest);
    expect((await entriesOf(admin, `?until=${at}`)).map(({ id }) => id)).not.toContain(newest!.id);
  });

  it.each(['cursor=abc', 'cursor=', 'since=yesterday', 'until=2026-99-99T00:00:00Z', 'who=me'])(
    'refuses %s with 422',
    async (query) => {
      const admin = await startAdmin();
      const { status, body } = await admin.ask(`/v1/audit?${query}`);
      const [parameter] = query.split('=');
      expect([status, body['errors']]).toMatchObject([422, [{ parameter }]]);
    },
  );

  it('is told as JSON lines to whoever asks for them, the next page in Link', async () => {
    const admin = await startAdmin();
    for (let i = 0; i < 3; i++) await makeToken(admin, {});
    const read = async (path: string): Promise<Response> =>
      fetch(`${admin.url}${path}`, {
        headers: { authorization: `Bearer ${admin.token}`, accept: 'application/x-ndjson' },
      });
    const first = await read('/v1/audit?page_size=2&path=/v1/tokens');
    expect(first.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await first.text()).split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([3, '']);
    expect(lines.slice(0, 2).every((line) => isEntry(JSON.parse(line)))).toBe(true);
    const link = /^<(.+)>; rel="next"$/.exec(first.headers.get('link')!)!;
    const second = await read(link[1]!);
    expect((await second.text()).split('\n').length).toBe(2);
    expect(second.headers.get('link')).toBeNull();
  });

  it('is not evaded by going away before the answer', async () => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const admin = await startAdmin({}, (own) => ({
      ...own,
      async change(space, mutations) {
        if (space === 'admin-tokens') {
          reached.resolve();
          await goOn.promise;
        }
        return own.change(space, mutations);
      },
    }));
    const socket = createConnection(admin.port, '127.0.0.1');
    const body = JSON.stringify({ name: 'quick', role: 'admin' });
    socket.write(
      `POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${admin.token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await reached.promise;
    socket.destroy();
    await once(socket, 'close');
    // The server hears of it when it comes to it.
    await expect.poll(() => entriesOf(admin), { timeout: 10_000 }).toHaveLength(1);
    goOn.resolve();
    await expect.poll(() => entriesOf(admin), { timeout: 10_000 }).toHaveLength(2);
    const [after, before] = await entriesOf(admin);
    expect([before!.outcome, before!.status]).toEqual(['unfinished', null]);
    expect([after!.outcome, after!.status, after!.request_id]).toEqual([
      'done',
      201,
      before!.request_id,
    ]);
  });

  it('notes what failed for want of the backplane, and is read in an outage as far as it goes', async () => {
    let unsteady: UnsteadyBackplane | undefined;
    const admin = await startAdmin({}, (own) => (unsteady = toUnsteady(own)).port);
    unsteady!.isAway = true;
    await admin.ask('/v1/tokens', { method: 'POST', body: { name: 'a', role: 'viewer' } });
    const { status, body } = await admin.ask('/v1/audit');
    expect([status, body['dropped']]).toEqual([200, 0]);
    expect(body['staleness_seconds']).toBeGreaterThan(0);
    expect((body['items'] as AuditEntry[]).map(inShort)).toEqual([
      'admin-token POST /v1/tokens failed 503 backplane_unavailable',
    ]);
  });
});

describe.each(EACH_BACKPLANE)('the audit log on %s', (_, open) => {
  const pair = usePair(open);

  it('is the same on every node, and outlives them', async () => {
    const start = (backplane: Backplane, node: string): Promise<TestAdmin> =>
      startAdmin({ backplane, registry: createRegistry(backplane), node });
    const [here, there] = [await start(pair.here, 'n1'), await start(pair.there, 'n2')];
    onTestFinished(() => there.stop());
    await makeToken(here, {});
    // What waits is written when a node stops.
    await here.stop();
    const [entry] = await entriesOf(there);
    expect(entry).toMatchObject({ node: 'n1', path: '/v1/tokens', outcome: 'done' });
    const space = `audit:${dayOf(Date.parse(entry!.at)) % 92}`;
    expect((await pair.there.read(space)).records('doc').has(entry!.id)).toBe(true);
  });
});
