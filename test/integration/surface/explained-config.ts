/** The configuration that the tests of explain ask about. */
import type { Origin } from './origin.ts';
import type { TokenIssuer } from './token-issuer.ts';

export function explainedConfig(origins: readonly Origin[], issuer: TokenIssuer): object {
  return {
    meshgate: 1,
    listeners: [
      { name: 'http', address: '127.0.0.1:0' },
      { name: 'admin', address: '127.0.0.1:0', hosts: ['admin.test'] },
    ],
    status: { address: '127.0.0.1:0' },
    admin: { address: '127.0.0.1:0' },
    telemetry: { accessLog: { path: 'access.log' } },
    services: {
      orders: {
        endpoints: origins.map(({ address, name }) => ({ address, metadata: { version: name } })),
      },
    },
    plugins: [{ headers: { request: { set: { 'x-everywhere': '1' } } } }],
    routes: [
      {
        name: 'canary',
        match: [{ hosts: ['api.test'], path: '/orders/*', headers: { 'x-env': 'canary' } }],
        to: [{ service: 'orders', where: { version: 'v2' } }],
        rewrite: { stripPrefix: '/orders', host: 'inside.test' },
      },
      {
        name: 'orders',
        match: [{ hosts: ['other.test'] }, { hosts: ['api.test'], path: '/orders/*' }],
        to: [{ service: 'orders', plugins: [{ 'ip-filter': { deny: ['203.0.113.0/24'] } }] }],
        plugins: [
          { acl: { allow: { claims: { role: 'admin' } } } },
          { jwt: issuer.config },
          { 'rate-limit': { limit: 2, window: '1h', by: 'route' } },
        ],
      },
      {
        name: 'small',
        match: [{ path: '/small' }],
        to: 'orders',
        plugins: [{ 'body-limit': { max: '2' } }],
      },
      {
        name: 'limited',
        match: [{ path: '/limited' }],
        to: 'orders',
        plugins: [{ 'rate-limit': { limit: 2, window: '1h', by: 'route' } }],
      },
      { name: 'moved', match: [{ path: '/moved' }], redirect: { path: '/there' } },
      { name: 'hello', match: [{ path: '/hello' }], respond: { status: 200, body: 'hi' } },
      {
        name: 'nowhere',
        match: [{ path: '/none' }],
        to: [{ service: 'orders', where: { version: 'v3' } }],
      },
      {
        name: 'weighted',
        match: [{ path: '/canary' }],
        to: [
          { service: 'orders', where: { version: 'v1' }, weight: 0 },
          { service: 'orders', where: { version: 'v2' }, weight: 5 },
          { redirect: { path: '/there' }, weight: 0 },
          { respond: { status: 204 }, weight: 0 },
        ],
      },
    ],
  };
}
