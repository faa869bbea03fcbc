import { describe, expect, it } from 'vitest';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { issuesOf } from './config-file.ts';

const HASH = 'a'.repeat(64);

function issuesWith(plugins: object, everywhere: object = []): Promise<string[]> {
  const config = {
    meshgate: 1,
    consumers: [{ name: 'ada', apiKeys: [{ hash: `sha256:${HASH}` }] }],
    services: { s: { endpoints: [{ address: '127.0.0.1:1' }] } },
    plugins: everywhere,
    routes: [{ name: 'a', to: 's', plugins }],
  };
  return issuesOf(JSON.stringify(config), { catalogue: standardPlugins });
}

const limit = (by?: unknown): object => ({ 'rate-limit': { limit: 1, window: '1m', by } });

describe('a limit by who calls, on a route that nobody has to say it on', () => {
  it.each([
    ['a list', [limit('consumer')], 'routes[0].plugins[0].rate-limit.by'],
    ['a mapping', limit('consumer'), 'routes[0].plugins.rate-limit.by'],
  ])('is warned of in %s', async (_form, plugins, path) => {
    expect(await issuesWith(plugins)).toEqual([
      expect.stringContaining(
        ` ${path}: warning: nobody has a consumer on this route: each address is counted (add a plugin`,
      ),
    ]);
  });

  it('is warned of where it goes by a claim', async () => {
    expect(await issuesWith([limit({ claim: 'sub' })])).toEqual([
      expect.stringContaining('nobody has a claim on this route'),
    ]);
  });

  it('is what it says where a plugin authenticates, on the route or on all', async () => {
    expect(await issuesWith([limit('consumer'), { 'api-key': {} }])).toEqual([]);
    expect(await issuesWith([limit('consumer')], [{ 'api-key': {} }])).toEqual([]);
  });

  it.each(['ip', 'route', { header: 'x-tenant' }, undefined])(
    'is none where it goes by %j',
    async (by) => {
      expect(await issuesWith([limit(by)])).toEqual([]);
    },
  );

  it('may stand on all routes, of which some know their callers', async () => {
    expect(await issuesWith([], [limit('consumer')])).toEqual([]);
  });

  it('does not hide what else is wrong with it', async () => {
    const wrong = { 'rate-limit': { limit: 0, window: 'x', by: 'consumer' } };
    expect(await issuesWith([wrong])).toHaveLength(2);
  });
});

describe('a service without endpoints', () => {
  const issues = (endpoints: object[], more = ''): Promise<string[]> =>
    issuesOf(
      `meshgate: 1\nservices:\n  s: { endpoints: ${JSON.stringify(endpoints)} }\nroutes:\n  - { name: a, to: s }\n${more}`,
    );

  it('is warned of where a route leads to it', async () => {
    expect(await issues([])).toEqual([
      '5:20 routes[0].to: warning: the service s has no endpoints: requests are answered by 503 (give it an endpoint)',
    ]);
    expect(await issues([{ address: '127.0.0.1:1' }])).toEqual([]);
  });

  it('is not spoken of where its endpoints have faults of their own', async () => {
    expect(await issues([{ address: 5 }])).toEqual([expect.stringContaining('address: ')]);
  });
});
