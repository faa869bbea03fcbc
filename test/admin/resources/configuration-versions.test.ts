import { describe, expect, it } from 'vitest';
import { BackplaneError } from '../../../src/mesh/backplane/backplane-error.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { documentOf } from '../../gateway/config/shared-document-fixture.ts';
import { NOTHING, SECRET, SOME, startConfigured } from '../configured-admin.ts';

stopAdminsAfterEach();

const OTHER = { services: SOME.services, routes: [{ name: 'all', to: 'payments' }] };

describe('GET /v1/config/versions', () => {
  it('tells who changed what when, newest first, by pages', async () => {
    const admin = await startConfigured();
    for (let i = 0; i < 4; i++) {
      await admin.put(`/v1/consumers/c${i}?message=m${i}`, {});
    }
    const first = await admin.get('/v1/config/versions?page_size=2');
    expect(first.body).toMatchObject({
      items: [
        { version: 5, author: 'admin-token', message: 'm3', pinned: false },
        { version: 4, message: 'm2' },
      ],
      staleness_seconds: 0,
    });
    expect(JSON.stringify(first.body)).not.toContain('document');
    await admin.put('/v1/consumers/c9', {});
    const cursor = String(first.body['next_cursor']);
    const second = await admin.get(`/v1/config/versions?page_size=5&cursor=${cursor}`);
    expect((second.body['items'] as { version: number }[]).map(({ version }) => version)).toEqual([
      3, 2, 1,
    ]);
    expect(second.body['next_cursor']).toBeNull();
  });
});

describe('GET /v1/config/versions/{version}', () => {
  it('shows its document, what it changed and who runs it', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const admin = await startConfigured({
      rollout: async (version) => [
        { node: 'a', state: 'applied', version, at },
        { node: 'b', state: 'refused', version: 1, reason: 'no such file', at },
      ],
    });
    await admin.patch('/v1/routes/orders', { timeout: '3s' });
    const whole = (await admin.get('/v1/config')).body;
    const { status, body } = await admin.get('/v1/config/versions/2');
    expect([status, body]).toMatchObject([
      200,
      {
        version: 2,
        previous: 1,
        changes: [{ kind: 'added', path: 'routes.orders.timeout', after: '3s' }],
        document: { routes: [{ name: 'orders', timeout: '3s' }] },
        nodes: [
          { node: 'a', state: 'applied', version: 2, at },
          { node: 'b', state: 'refused', version: 1, reason: 'no such file', at },
        ],
      },
    ]);
    expect(body['document']).toEqual(whole);
    expect(JSON.stringify(body)).not.toContain(SECRET);
    const first = await admin.get('/v1/config/versions/1');
    expect([first.body['previous'], (first.body['changes'] as unknown[]).length]).toEqual([
      null,
      5,
    ]);
    expect((await admin.get('/v1/config/versions/3')).status).toBe(404);
    expect((await admin.get('/v1/config/versions/0')).status).toBe(422);
    expect((await admin.get('/v1/config/versions/x')).status).toBe(422);
  });

  it('in an outage says what it knows, how old that is, and that it does not know who runs it', async () => {
    const admin = await startConfigured({
      rollout: () => Promise.reject(new BackplaneError('unavailable', 'nobody answers')),
    });
    await admin.patch('/v1/routes/orders', { timeout: '3s' });
    admin.store.outageMs = 12_340;
    const { status, body, headers } = await admin.get('/v1/config/versions/2');
    expect(status).toBe(200);
    expect(headers['meshgate-staleness']).toBe('12.3');
    expect(body).toMatchObject({
      previous: 1,
      changes: null,
      document: { routes: [{ timeout: '3s' }] },
      nodes: null,
    });
    // Of older ones there is nothing to tell.
    expect((await admin.get('/v1/config/versions/1')).status).toBe(503);
  });
});

describe('PUT /v1/config/versions/{version}/pin', () => {
  it('keeps a version, and lets it go', async () => {
    const admin = await startConfigured();
    const path = '/v1/config/versions/1/pin';
    const pinned = await admin.put(path, { pinned: true });
    expect([pinned.status, pinned.body]).toMatchObject([200, { version: 1, pinned: true }]);
    expect(admin.store.head()!.pinned).toBe(true);
    expect((await admin.put(path, { pinned: false })).body['pinned']).toBe(false);
    expect((await admin.put('/v1/config/versions/9/pin', { pinned: true })).status).toBe(404);
    expect((await admin.put(path, {})).status).toBe(422);
    admin.store.outageMs = 1;
    expect((await admin.put(path, { pinned: true })).status).toBe(503);
  });
});

describe('POST /v1/config/rollback', () => {
  it('writes a version again, as a new one', async () => {
    const admin = await startConfigured();
    await admin.put('/v1/config', OTHER);
    const { status, body, headers } = await admin.post('/v1/config/rollback', { version: 1 });
    expect([status, headers['location'], body]).toMatchObject([
      201,
      '/v1/config/versions/3',
      {
        changed: true,
        version: { version: 3, rollback_of: 1, message: 'roll back to version 1' },
      },
    ]);
    const [first, , third] = admin.store.versions;
    expect([third!.hash, third!.document]).toEqual([first!.hash, first!.document]);
    const again = await admin.post('/v1/config/rollback', { version: 1, message: 'again' });
    expect([again.status, again.body['changed'], admin.store.versions.length]).toEqual([
      200,
      false,
      3,
    ]);
  });

  it('is refused where there is nothing to go back to, or it would not do any more', async () => {
    const admin = await startConfigured();
    expect((await admin.post('/v1/config/rollback', { version: 9 })).status).toBe(404);
    expect((await admin.post('/v1/config/rollback', {})).status).toBe(422);
    admin.store.versions.splice(0);
    admin.store.put(documentOf({ routes: [{ name: 'r', to: 'gone' }] }));
    admin.store.put(documentOf(SOME));
    const { status, body } = await admin.post('/v1/config/rollback', { version: 1 });
    expect([status, body['errors']]).toMatchObject([
      422,
      [{ resource: '/v1/config/versions/1', detail: expect.stringContaining('routes[0].to') }],
    ]);
    const late = await admin.post('/v1/config/rollback', { version: 1 }, { 'if-match': '"1"' });
    expect(late.status).toBe(412);
    admin.store.outageMs = 1;
    expect((await admin.post('/v1/config/rollback', { version: 1 })).status).toBe(503);
    expect(admin.store.versions.length).toBe(2);
  });

  it('is refused where the file owns the configuration', async () => {
    const admin = await startConfigured({ fileDocument: () => documentOf(SOME) }, NOTHING);
    expect((await admin.post('/v1/config/rollback', { version: 1 })).body['code']).toBe(
      'config_owned_by_file',
    );
  });
});
