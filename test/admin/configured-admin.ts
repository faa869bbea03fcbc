/** An admin API with a shared configuration, which is checked by the real loader. */
import type { AdminServerOptions } from '../../src/admin/admin-server.ts';
import type { ConfigIssue } from '../../src/gateway/config/issue.ts';
import { loadConfig } from '../../src/gateway/config/load.ts';
import type { SharedDocument } from '../../src/gateway/config/versions/shared-document.ts';
import type { NodeStatus } from '../../src/admin/resources/node-status.ts';
import type { ConfigurationSources } from '../../src/admin/resources/configuration-access.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';
import { startAdmin, type AdminAnswer, type TestAdmin } from './admin-fixture.ts';
import { documentOf } from '../gateway/config/shared-document-fixture.ts';
import { MemoryVersionStore } from './memory-version-store.ts';

export interface ConfiguredAdmin extends TestAdmin {
  readonly store: MemoryVersionStore;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<AdminAnswer>;
  put(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AdminAnswer>;
  patch(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AdminAnswer>;
  post(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AdminAnswer>;
  remove(path: string, headers?: Readonly<Record<string, string>>): Promise<AdminAnswer>;
}

export const SECRET = 'a-secret-that-is-thirty-two-bytes-long';

/** Two services, of which one is routed to, a consumer, and a route with a secret. */
export const SOME = {
  services: {
    orders: { endpoints: [{ address: '127.0.0.1:3001' }], labels: { team: 'shop' } },
    payments: { endpoints: [{ address: '127.0.0.1:3002' }] },
  },
  routes: [
    {
      name: 'orders',
      match: [{ path: '/orders/*' }],
      to: 'orders',
      labels: { team: 'shop', tier: 'gold' },
      plugins: [{ jwt: { issuer: 'https://id.test', secret: SECRET } }],
    },
  ],
  consumers: [{ name: 'acme', apiKeys: [{ hash: `sha256:${'0a'.repeat(32)}` }] }],
  plugins: [{ cors: { origins: ['https://app.test'] } }],
};

/** Of a document together with a node's own part. */
export async function checkDocument(document: SharedDocument): Promise<readonly ConfigIssue[]> {
  const result = await loadConfig('/etc/meshgate.yaml', {
    catalogue: standardPlugins,
    env: {},
    text: JSON.stringify({ meshgate: 1, ...document }),
  });
  return result.ok ? result.warnings : result.issues;
}

/** How the node is, unless it says otherwise. */
export const WELL: NodeStatus = {
  node: 'edge-1',
  version: '1.2.3',
  state: 'ready',
  started_at: '2026-01-01T00:00:00.000Z',
  configuration: {
    revision: 4,
    hash: 'abc',
    shared_hash: 'def',
    owner: 'backplane',
    version: 1,
    refused: null,
    missing: null,
    last_reload: { successful: true, at: '2026-01-01T00:00:00.000Z', errors: [] },
  },
  services: [],
  backplane: { kind: 'redis', connected: true, staleness_seconds: 0, reason: null },
};

/** Of a configuration that is in the store alone, and that no node runs. */
export function sourcesOf(store: MemoryVersionStore): ConfigurationSources {
  return {
    store,
    check: checkDocument,
    fileDocument: () => undefined,
    catalogue: standardPlugins,
    rollout: async () => [],
    certificateInForce: () => undefined,
    explain: () => Promise.reject(new Error('not asked in this test')),
  };
}

/** No version has been written. */
export const NOTHING = Symbol('nothing');

/** With `SOME` as version 1, unless it says otherwise. */
export async function startConfigured(
  options: Partial<ConfigurationSources> = {},
  first: unknown = SOME,
  server: Partial<AdminServerOptions> = {},
): Promise<ConfiguredAdmin> {
  const store = new MemoryVersionStore();
  if (first !== NOTHING) store.put(documentOf(first));
  const admin = await startAdmin({
    status: () => WELL,
    ...server,
    configuration: { ...sourcesOf(store), ...options },
  });
  const send =
    (method: string, type = 'application/json') =>
    (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      admin.ask(path, {
        method,
        body,
        headers: { ...(body !== undefined && { 'content-type': type }), ...headers },
      });
  return {
    ...admin,
    store,
    get: (path, headers) => send('GET')(path, undefined, headers),
    put: send('PUT'),
    post: send('POST'),
    patch: send('PATCH', 'application/merge-patch+json'),
    remove: (path, headers) => send('DELETE')(path, undefined, headers),
  };
}
