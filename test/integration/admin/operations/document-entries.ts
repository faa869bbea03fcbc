/** The configuration as a whole, and its versions. */
import { expect } from 'vitest';
import { until } from '../../gateway-fixture.ts';
import type { Entry, Way } from './operation-entry.ts';
import { FIRST } from './operation-fleet.ts';

export const DOCUMENT_ENTRIES: Readonly<Record<string, Entry>> = {
  getConfig: {
    good: {},
    async succeed({ call }) {
      const { headers, body } = await call('getConfig');
      expect(body.routes).toEqual(
        expect.arrayContaining([expect.objectContaining({ to: 'orders' })]),
      );
      const known = await call('getConfig', { headers: { 'if-none-match': headers.etag! } });
      expect(known.status).toBe(304);
      const yaml = await call('getConfig', { headers: { accept: 'application/yaml' } });
      expect(yaml.body).toContain('routes:\n');
    },
  },
  putConfig: {
    good: { body: FIRST },
    async succeed({ call, name }) {
      const made = { name, match: [{ path: `/${name}` }], respond: { status: 204 } };
      const body = { ...FIRST, routes: [...FIRST.routes, made] };
      const { headers } = await call('getConfig');
      const first = await call('putConfig', { body, headers: { 'if-match': headers.etag! } });
      expect([first.status, first.body.changed]).toEqual([201, true]);
      const second = await call('putConfig', { body });
      expect([second.status, second.body.changed]).toEqual([200, false]);
      const yaml = await call('putConfig', {
        body: JSON.stringify(FIRST),
        contentType: 'application/yaml',
        query: { message: 'as it was' },
      });
      expect(yaml.status).toBe(201);
    },
  },
  diffConfig: {
    good: { body: FIRST },
    async succeed({ call }) {
      const { body } = await call('diffConfig', { body: {}, query: { against: 1 } });
      expect(body.changes).toContainEqual(
        expect.objectContaining({ kind: 'removed', path: 'routes.orders' }),
      );
    },
    refuse: {
      404: ({ call }) => call('diffConfig', { body: FIRST, query: { against: 99_999 } }),
    },
  },
  validateConfig: {
    good: { body: FIRST },
    async succeed({ call }) {
      const good = await call('validateConfig', { body: FIRST });
      expect(good.body).toMatchObject({ valid: true, errors: [] });
      const bad = await call('validateConfig', {
        body: { routes: [{ name: 'lost', to: 'nobody' }] },
      });
      expect(bad.body).toMatchObject({ valid: false, errors: [{ pointer: '#/routes/0/to' }] });
    },
  },
  listConfigVersions: {
    good: {},
    async succeed({ call }) {
      const { body } = await call('listConfigVersions', { query: { page_size: 1 } });
      expect(body.items).toHaveLength(1);
    },
  },
  getConfigVersion: {
    good: { path: { version: 1 } },
    async succeed({ call }) {
      // Nodes tell a moment after they run it.
      const shown = await until(async () => {
        const { body } = await call('getConfigVersion', { path: { version: 1 } });
        return body.nodes.length > 0 ? body : undefined;
      });
      expect([shown.version, shown.previous]).toEqual([1, null]);
    },
    refuse: { 404: ({ call }) => call('getConfigVersion', { path: { version: 99_999 } }) },
  },
  putConfigVersionPin: {
    good: { path: { version: 1 }, body: { pinned: true } },
    async succeed({ call }) {
      for (const pinned of [true, false]) {
        const { body } = await call('putConfigVersionPin', {
          path: { version: 1 },
          body: { pinned },
        });
        expect(body.pinned).toBe(pinned);
      }
    },
    refuse: {
      404: ({ call }) =>
        call('putConfigVersionPin', { path: { version: 99_999 }, body: { pinned: true } }),
    },
  },
  rollbackConfig: {
    good: { body: { version: 1 } },
    async succeed(way) {
      const { call } = way;
      await call('putConfig', { body: { routes: [] } });
      const first = await call('rollbackConfig', { body: { version: 1, message: 'as it was' } });
      expect([first.status, first.body.changed]).toEqual([201, true]);
      const second = await call('rollbackConfig', { body: { version: 1 } });
      expect([second.status, second.headers.etag]).toEqual([200, first.headers.etag]);
      expect(await routesOf(way)).toEqual(['hello', 'orders']);
    },
    refuse: { 404: ({ call }) => call('rollbackConfig', { body: { version: 99_999 } }) },
  },
  explainRequest: {
    good: { body: { method: 'GET', url: 'http://any.test/orders/1' } },
    async succeed({ call }) {
      const forward = await call('explainRequest', {
        body: { method: 'GET', url: 'http://any.test/orders/1' },
      });
      expect(forward.body).toMatchObject({ forward: { service: 'orders' } });
      const nowhere = await call('explainRequest', {
        body: {
          method: 'POST',
          url: 'http://any.test/nowhere',
          headers: [{ name: 'origin', value: 'https://app.test' }],
          body: 'x',
        },
      });
      expect(nowhere.body).toMatchObject({ answer: { status: 404, code: 'no_route' } });
    },
  },
};

async function routesOf({ call }: Way): Promise<readonly string[]> {
  const { body } = await call('listRoutes');
  return (body.items as readonly { readonly name: string }[]).map(({ name }) => name);
}
