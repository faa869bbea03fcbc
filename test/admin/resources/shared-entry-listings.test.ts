import { describe, expect, it } from 'vitest';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import { documentOf } from '../../gateway/config/shared-document-fixture.ts';
import { NOTHING, SOME, startConfigured, type ConfiguredAdmin } from '../configured-admin.ts';

stopAdminsAfterEach();

const SERVICE = { endpoints: [{ address: '127.0.0.1:3009' }] };

async function namesAt(admin: ConfiguredAdmin, path: string): Promise<string[]> {
  const { status, body } = await admin.get(path);
  expect(status).toBe(200);
  return (body['items'] as { name: string }[]).map(({ name }) => name);
}

describe('a listing of resources', () => {
  it('has each as it is shown by itself, by name', async () => {
    const admin = await startConfigured();
    const { status, body, headers } = await admin.get('/v1/services');
    expect([status, headers['meshgate-version']]).toEqual([200, '1']);
    expect(body).toEqual({
      items: [
        { name: 'orders', ...SOME.services.orders },
        { name: 'payments', ...SOME.services.payments },
      ],
      next_cursor: null,
      staleness_seconds: 0,
    });
    expect(await namesAt(admin, '/v1/plugins')).toEqual(['cors']);
    expect(await namesAt(admin, '/v1/consumers')).toEqual(['acme']);
  });

  it('goes on where it left off, whatever comes and goes meanwhile', async () => {
    const services = Object.fromEntries(['a', 'c', 'e', 'g', 'i'].map((name) => [name, SERVICE]));
    const admin = await startConfigured({}, { services });
    const first = await admin.get('/v1/services?page_size=2');
    expect((first.body['items'] as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'c']);
    const { a: _, c: __, ...rest } = services;
    admin.store.put(documentOf({ services: { b: SERVICE, ...rest, f: SERVICE } }));
    const cursor = String(first.body['next_cursor']);
    expect(await namesAt(admin, `/v1/services?page_size=2&cursor=${cursor}`)).toEqual(['e', 'f']);
    const wrong = await admin.get('/v1/services?cursor=!');
    expect([wrong.status, wrong.body['errors']]).toMatchObject([422, [{ parameter: 'cursor' }]]);
  });

  it('is of those that are asked for', async () => {
    const match = { path: '/x' };
    const admin = await startConfigured(
      {},
      {
        services: SOME.services,
        routes: [
          { name: 'orders-a', to: 'orders', match, labels: { team: 'shop', tier: 'gold' } },
          { name: 'orders-b', to: [{ service: 'payments' }], match, labels: { team: 'shop' } },
          { name: 'other', to: 'payments', mirror: [{ service: 'orders' }], match },
        ],
      },
    );
    expect(await namesAt(admin, '/v1/routes?name=orders-')).toEqual(['orders-a', 'orders-b']);
    expect(await namesAt(admin, '/v1/routes?label=team=shop')).toEqual(['orders-a', 'orders-b']);
    expect(await namesAt(admin, '/v1/routes?label=tier')).toEqual(['orders-a']);
    expect(await namesAt(admin, '/v1/routes?label=team=shop,tier=silver')).toEqual([]);
    expect(await namesAt(admin, '/v1/routes?label=constructor')).toEqual([]);
    expect(await namesAt(admin, '/v1/routes?service=orders')).toEqual(['orders-a', 'other']);
    expect(await namesAt(admin, '/v1/routes?service=payments&name=ord')).toEqual(['orders-b']);
    for (const query of ['label=', 'page_size=0', 'srvice=a']) {
      expect((await admin.get(`/v1/routes?${query}`)).status).toBe(422);
    }
    expect((await admin.get('/v1/services?service=a')).status).toBe(422);
  });

  it('is empty before anything has been written', async () => {
    const admin = await startConfigured({}, NOTHING);
    const { body, headers } = await admin.get('/v1/routes');
    expect([body['items'], headers['meshgate-version']]).toEqual([[], '0']);
  });
});
