/** Nodes, the mesh, traffic, tokens, the audit log, and the API itself. */
import { expect } from 'vitest';
import { until } from '../../gateway-fixture.ts';
import type { ServerEvent } from './generated-client.ts';
import { DOCUMENT } from './api-document.ts';
import type { Entry, Way } from './operation-entry.ts';
import { ENDPOINT } from './operation-fleet.ts';

/** What only has to be listed, and something that is in it. */
function listing(operationId: string, ...expected: readonly object[]): Entry {
  return {
    good: {},
    async succeed({ call }) {
      const { body } = await call(operationId, { query: { page_size: 100 } });
      expect(body.items).toEqual(
        expect.arrayContaining(expected.map((one) => expect.objectContaining(one))),
      );
    },
  };
}

function decision(operationId: string, body: object, shown: object, undo: object): Entry {
  return {
    good: { path: ENDPOINT, body },
    async succeed({ call }) {
      const decided = await call(operationId, { path: ENDPOINT, body });
      expect(decided.body).toMatchObject(shown);
      await call(operationId, { path: ENDPOINT, body: undo });
    },
    refuse: {
      404: ({ call }) => call(operationId, { path: { ...ENDPOINT, endpoint: 'nobody' }, body }),
    },
  };
}

/** Of a token that is there for this alone. */
async function makeToken({ call, name }: Way): Promise<{ id: string; token: string }> {
  const body = { name: `made-${name}`, role: 'viewer', expires_in_seconds: 3_600 };
  return (await call('createToken', { body })).body as { id: string; token: string };
}

/** Where it goes through another node, that one hears of the token a moment later. */
async function untilAnswered({ call }: Way, token: string, status: number): Promise<void> {
  await until(async () => {
    const answer = await call('listRoutes', { token });
    return answer.status === status ? true : undefined;
  });
}

const NO_TOKEN = { path: { id: '0'.repeat(16) } };

export const NODE_ENTRIES: Readonly<Record<string, Entry>> = {
  getOpenApi: {
    good: {},
    async succeed({ call }) {
      expect((await call('getOpenApi')).body).toEqual(DOCUMENT);
    },
  },
  getStatus: {
    good: {},
    async succeed({ call }) {
      const { body } = await call('getStatus');
      expect(body).toMatchObject({ state: 'ready', configuration: { owner: 'backplane' } });
    },
  },
  listMeshServices: listing('listMeshServices', { name: ENDPOINT.service }),
  listMeshEndpoints: listing('listMeshEndpoints', { id: ENDPOINT.endpoint, state: 'healthy' }),
  listMeshNodes: listing('listMeshNodes', { name: 'a' }, { name: 'b' }, { name: 'c' }),
  listMeshTopology: listing('listMeshTopology'),
  getMeshMetrics: listing('getMeshMetrics'),
  putMeshEndpointWeight: decision(
    'putMeshEndpointWeight',
    { weight: 2.5 },
    { weight: 2.5, operator_weight: 2.5 },
    { weight: null },
  ),
  putMeshEndpointDrain: decision(
    'putMeshEndpointDrain',
    { drain: true },
    { state: 'draining', operator_drain: true },
    { drain: false },
  ),
  tap: {
    good: { query: { limit: 1 } },
    async succeed({ call, node }) {
      const ended = new AbortController();
      const tapped = call('tap', { query: { limit: 1, path: '/hello', rate: 10 } }).finally(() =>
        ended.abort(),
      );
      // From when on it hears of them is not told.
      while (!ended.signal.aborted) {
        await (await fetch(`http://127.0.0.1:${node.gateway.httpPort}/hello?token=x`)).text();
      }
      const events = (await tapped).body as readonly ServerEvent[];
      expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['exchange', 'end']));
      expect(events.at(-1)).toEqual({ event: 'end', data: { reason: 'limit' } });
    },
  },
  listTokens: {
    good: {},
    async succeed({ call }) {
      const { body } = await call('listTokens', { query: { name: 'a-vie', role: 'viewer' } });
      expect(body.items).toMatchObject([{ name: 'a-viewer', scope: null, state: 'active' }]);
    },
  },
  createToken: {
    good: { body: { name: 'nobody', role: 'viewer' } },
    async succeed(way) {
      const { id, token } = await makeToken(way);
      await untilAnswered(way, token, 200);
      await way.call('revokeToken', { path: { id } });
    },
  },
  getToken: {
    good: NO_TOKEN,
    async succeed(way) {
      const { id } = await makeToken(way);
      const { body } = await way.call('getToken', { path: { id } });
      expect([body.id, body.created_by]).toEqual([id, 'an-admin']);
      await way.call('revokeToken', { path: { id } });
    },
    refuse: { 404: ({ call }) => call('getToken', NO_TOKEN) },
  },
  revokeToken: {
    good: NO_TOKEN,
    async succeed(way) {
      const { id, token } = await makeToken(way);
      expect((await way.call('revokeToken', { path: { id } })).status).toBe(204);
      await untilAnswered(way, token, 401);
    },
    refuse: { 404: ({ call }) => call('revokeToken', NO_TOKEN) },
  },
  listAudit: {
    good: {},
    async succeed({ call }) {
      const page = await call('listAudit', {
        query: { path: '/v1/config', outcome: 'done', page_size: 1 },
      });
      expect(page.body.items).toMatchObject([{ outcome: 'done' }]);
      const lines = await call('listAudit', { headers: { accept: 'application/x-ndjson' } });
      expect(lines.body.length).toBeGreaterThan(0);
    },
  },
};
