/** Services, routes, consumers, plugins and certificates: the same operations for each. */
import { expect } from 'vitest';
import { createAuthority } from '../../../gateway/listener/certificates.ts';
import type { Entry } from './operation-entry.ts';

export interface ConfiguredKind {
  readonly kind: string;
  readonly singular: string;
  /** There from the beginning. */
  readonly known: string;
  /** The name of one that is made, and what it is. */
  readonly made: (suffix: string) => string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly patch: Readonly<Record<string, unknown>>;
  /** What an answer has in place of the body's, or beside it. */
  readonly shown?: Readonly<Record<string, unknown>>;
}

const authority = await createAuthority();
/** Of what is there from the beginning, and of what is made. */
export const CERTIFICATE = await authority.issue('known', ['known.test']);
const MADE = await authority.issue('made', ['made.test']);

/** A plugin goes by its own name. */
export const CONFIGURED: readonly ConfiguredKind[] = [
  {
    kind: 'services',
    singular: 'Service',
    known: 'orders',
    made: (suffix) => `service-${suffix}`,
    body: { endpoints: [{ address: '127.0.0.1:9' }] },
    patch: { labels: { tier: 'gold' } },
  },
  {
    kind: 'routes',
    singular: 'Route',
    known: 'orders',
    made: (suffix) => `route-${suffix}`,
    body: { match: [{ path: '/made' }], respond: { status: 200, body: 'made' } },
    patch: { timeout: '5s' },
  },
  {
    kind: 'consumers',
    singular: 'Consumer',
    known: 'acme',
    made: (suffix) => `consumer-${suffix}`,
    body: { groups: ['silver'] },
    patch: { groups: ['gold'] },
  },
  {
    kind: 'plugins',
    singular: 'Plugin',
    known: 'cors',
    made: () => 'headers',
    body: { config: { response: { set: { 'x-made': 'yes' } } } },
    patch: { config: { maxAge: '1h' } },
  },
  {
    kind: 'certificates',
    singular: 'Certificate',
    known: 'known',
    made: (suffix) => `certificate-${suffix}`,
    body: { ...MADE },
    patch: { labels: { team: 'shop' } },
    shown: {
      key: '(hidden)',
      details: expect.objectContaining({ subject: 'CN=made', dns_names: ['made.test'] }) as object,
    },
  },
];

export const CONFIGURED_ENTRIES: Readonly<Record<string, Entry>> = Object.assign(
  {},
  ...CONFIGURED.map(toEntries),
) as Record<string, Entry>;

function toEntries(one: ConfiguredKind): Record<string, Entry> {
  const { kind, singular, known, made, body, patch, shown = {} } = one;
  const path = { name: known };
  const nobody = { path: { name: kind === 'plugins' ? 'jwt' : 'nobody' } };
  return {
    [`list${singular}s`]: {
      good: {},
      async succeed({ call }) {
        const all = await call(`list${singular}s`, { query: { page_size: 1 } });
        expect(all.body.items).toHaveLength(1);
        const some = await call(`list${singular}s`, {
          query: {
            name: known.slice(0, 2),
            ...(kind === 'routes' && { service: 'orders', label: 'team=shop' }),
          },
        });
        expect(some.body.items).toMatchObject([{ name: known }]);
      },
    },
    [`get${singular}`]: {
      good: { path },
      async succeed({ call }) {
        const { headers, body: read } = await call(`get${singular}`, { path });
        expect(read.name).toBe(known);
        const again = await call(`get${singular}`, {
          path,
          headers: { 'if-none-match': headers.etag! },
        });
        expect(again.status).toBe(304);
      },
      refuse: { 404: ({ call }) => call(`get${singular}`, nobody) },
    },
    [`put${singular}`]: {
      good: { path, body: { name: known, ...body } },
      async succeed({ call, name: suffix }) {
        const name = made(suffix);
        const put = { path: { name }, body: { name, ...body } };
        // The path has its name.
        const first = await call(`put${singular}`, {
          ...put,
          body,
          headers: { 'if-none-match': '*' },
          query: { message: 'made by a test' },
        });
        expect([first.status, first.body]).toEqual([201, { name, ...body, ...shown }]);
        const second = await call(`put${singular}`, {
          ...put,
          headers: { 'if-match': first.headers.etag! },
        });
        expect([second.status, second.headers.etag]).toEqual([200, first.headers.etag]);
        expect(second.headers['meshgate-version']).toBe(first.headers['meshgate-version']);
        await call(`delete${singular}`, { path: { name } });
      },
    },
    [`patch${singular}`]: {
      good: { path, body: patch },
      async succeed({ call }) {
        const before = await call(`get${singular}`, { path });
        const after = await call(`patch${singular}`, { path, body: patch });
        expect(after.status).toBe(200);
        expect(after.body).toMatchObject(patch);
        expect((await call(`get${singular}`, { path })).body).toEqual(after.body);
        await call(`put${singular}`, { path, body: before.body });
      },
      refuse: { 404: ({ call }) => call(`patch${singular}`, { ...nobody, body: patch }) },
    },
    [`delete${singular}`]: {
      good: { path: { name: kind === 'services' ? 'payments' : known } },
      async succeed({ call, name: suffix }) {
        const name = made(suffix);
        await call(`put${singular}`, { path: { name }, body: { name, ...body } });
        expect((await call(`delete${singular}`, { path: { name } })).status).toBe(204);
        expect((await call(`get${singular}`, { path: { name } })).status).toBe(404);
      },
      refuse: {
        404: ({ call }) => call(`delete${singular}`, nobody),
        ...(kind === 'services' && {
          // Beside the one of a file: a route names it.
          409: async (way) => {
            const { body: problem } = await way.callOwner('deleteService', { path });
            expect(problem.code).toBe('config_owned_by_file');
            return way.call('deleteService', { path });
          },
        }),
      },
    },
  };
}
