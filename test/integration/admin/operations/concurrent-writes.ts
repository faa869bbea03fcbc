/** What becomes of two who write at once: one through each node. */
import { expect } from 'vitest';
import { until } from '../../gateway-fixture.ts';
import { CONFIGURED, type ConfiguredKind } from './configured-entries.ts';
import type { Answer, Call } from './generated-client.ts';
import { ENDPOINT, FIRST, type OperationFleet } from './operation-fleet.ts';

export type ConcurrentWrite = (fleet: OperationFleet) => Promise<void>;

/** The first asks node a, the second node b by way of a; both are under way before either is answered. */
function both(
  { a }: OperationFleet,
  operationId: string,
  first: Call,
  second: Call,
): Promise<readonly [Answer, Answer]> {
  return Promise.all([
    a.client.call(operationId, first),
    a.client.call(`${operationId}OfNode`, { ...second, path: { node: 'b', ...second.path } }),
  ]);
}

/** Sorted: who wins is for chance to say. */
function statuses(answers: readonly Answer[]): readonly number[] {
  return answers.map(({ status }) => status).toSorted((a, b) => a - b);
}

function ifMatch({ headers }: Answer): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { 'if-match': headers.etag! } };
}

function winnerOf(answers: readonly Answer[]): Answer {
  return answers.find(({ status }) => status < 300)!;
}

function writesOf(one: ConfiguredKind): Readonly<Record<string, ConcurrentWrite>> {
  const { singular, known, made, body } = one;
  const path = { name: known };
  const variants = VARIANTS[singular]!;

  /** Both nodes know what there is: else who asks the one that does not is late, and no rival. */
  async function read(fleet: OperationFleet): Promise<Answer> {
    const answer = await fleet.a.client.call(`get${singular}`, { path });
    await untilKnown(fleet, answer.headers['meshgate-version'] as string);
    return answer;
  }

  return {
    async [`put${singular}`](fleet) {
      const { client } = fleet.a;
      const name = made('race');
      const create = (variant: object): Call => ({
        path: { name },
        body: { name, ...body, ...variant },
        headers: { 'if-none-match': '*' },
      });
      // A plugin's settings are its own: the two differ in nothing.
      const another = create(singular === 'Plugin' ? {} : variants[0]);
      const created = await both(fleet, `put${singular}`, create({}), another);
      expect(statuses(created)).toEqual([201, 412]);
      const stored = await client.call(`get${singular}`, { path: { name } });
      expect(stored.body).toEqual(winnerOf(created).body);

      const before = await read(fleet);
      const replaced = await both(
        fleet,
        `put${singular}`,
        { path, body: { ...before.body, ...variants[0] }, ...ifMatch(before) },
        { path, body: { ...before.body, ...variants[1] }, ...ifMatch(before) },
      );
      expect(statuses(replaced)).toEqual([200, 412]);
      const after = await client.call(`get${singular}`, { path });
      expect(after.body).toEqual(winnerOf(replaced).body);
      await client.call(`put${singular}`, { path, body: before.body });
    },
    async [`patch${singular}`](fleet) {
      const before = await read(fleet);
      const patched = await both(
        fleet,
        `patch${singular}`,
        { path, body: variants[0], ...ifMatch(before) },
        { path, body: variants[1], ...ifMatch(before) },
      );
      expect(statuses(patched)).toEqual([200, 412]);
      const after = await fleet.a.client.call(`get${singular}`, { path });
      expect(after.body).toEqual(winnerOf(patched).body);
      await fleet.a.client.call(`put${singular}`, { path, body: before.body });
    },
    async [`delete${singular}`](fleet) {
      const { client } = fleet.a;
      const name = made('race');
      const stored = await client.call(`put${singular}`, {
        path: { name },
        body: { name, ...body },
      });
      await untilKnown(fleet, stored.headers['meshgate-version'] as string);
      const gone = { path: { name }, ...ifMatch(stored) };
      const [won, lost] = statuses(await both(fleet, `delete${singular}`, gone, gone));
      expect(won).toBe(204);
      // It was there when the other looked, or it was not.
      expect([404, 412]).toContain(lost);
    },
  };
}

/** Of what is there at first; neither has what the other has. */
const VARIANTS: Readonly<Record<string, readonly [object, object]>> = {
  Service: [{ labels: { by: 'a' } }, { timeouts: { connect: '1s' } }],
  Route: [{ labels: { by: 'a' } }, { timeout: '3s' }],
  Consumer: [{ groups: ['a'] }, { labels: { by: 'b' } }],
  Plugin: [
    { config: { origins: ['https://a.test'] } },
    { config: { origins: ['https://b.test'], maxAge: '2h' } },
  ],
  Certificate: [{ labels: { by: 'a' } }, { serverNames: ['other.known.test', 'known.test'] }],
};

async function untilKnown({ b }: OperationFleet, version: string): Promise<void> {
  await until(async () => {
    const { headers } = await b.client.call('listRoutes');
    return Number(headers['meshgate-version']) >= Number(version) ? true : undefined;
  });
}

export const CONCURRENT_WRITES: Readonly<Record<string, ConcurrentWrite>> = {
  ...(Object.assign({}, ...CONFIGURED.map(writesOf)) as Record<string, ConcurrentWrite>),
  async putConfig(fleet) {
    const { client } = fleet.a;
    const before = await client.call('getConfig');
    await untilKnown(fleet, before.headers['meshgate-version'] as string);
    const withRoute = (name: string): Call => ({
      body: { ...FIRST, routes: [...FIRST.routes, { name, respond: { status: 204 } }] },
      ...ifMatch(before),
    });
    const answers = await both(fleet, 'putConfig', withRoute('by-a'), withRoute('by-b'));
    expect(statuses(answers)).toEqual([201, 412]);
    const [a] = answers;
    const { body } = await client.call('getConfig');
    const names = (body.routes as readonly { readonly name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['orders', 'hello', a.status === 201 ? 'by-a' : 'by-b']);
  },
  async rollbackConfig(fleet) {
    const { client } = fleet.a;
    const { body: changed, headers } = await client.call('putConfig', { body: { routes: [] } });
    const { version: empty } = changed.version as { readonly version: number };
    const before = await client.call('putConfig', {
      body: { consumers: FIRST.consumers },
      headers: { 'if-match': headers.etag! },
    });
    await untilKnown(fleet, before.headers['meshgate-version'] as string);
    const answers = await both(
      fleet,
      'rollbackConfig',
      { body: { version: 1 }, ...ifMatch(before) },
      { body: { version: empty }, ...ifMatch(before) },
    );
    expect(statuses(answers)).toEqual([201, 412]);
    const { body: versions } = await client.call('listConfigVersions', { query: { page_size: 2 } });
    expect(versions.items).toMatchObject([
      { rollback_of: answers[0].status === 201 ? 1 : empty },
      { version: Number(before.headers['meshgate-version']) },
    ]);
    await client.call('rollbackConfig', { body: { version: 1 } });
  },
  async putConfigVersionPin(fleet) {
    const { client } = fleet.a;
    const pin = (version: number): Call => ({ path: { version }, body: { pinned: true } });
    const answers = await both(fleet, 'putConfigVersionPin', pin(1), pin(2));
    expect(statuses(answers)).toEqual([200, 200]);
    await until(async () => {
      const { body } = await client.call('listConfigVersions', { query: { page_size: 1_000 } });
      const items = body.items as readonly { version: number; pinned: boolean }[];
      const pinned = items.filter((one) => one.pinned).map(({ version }) => version);
      return pinned.join(',') === '2,1' ? true : undefined;
    });
  },
  async putMeshEndpointWeight(fleet) {
    const set = (weight: number | null): Call => ({ path: ENDPOINT, body: { weight } });
    const answers = await both(fleet, 'putMeshEndpointWeight', set(3), set(4));
    expect(statuses(answers)).toEqual([200, 200]);
    expect([3, 4]).toContain((await endpoint(fleet)).operator_weight);
    await fleet.a.client.call('putMeshEndpointWeight', set(null));
  },
  async putMeshEndpointDrain(fleet) {
    // The other decision about the same endpoint is not lost.
    const [drained, weighed] = await Promise.all([
      fleet.a.client.call('putMeshEndpointDrain', { path: ENDPOINT, body: { drain: true } }),
      fleet.b.client.call('putMeshEndpointWeight', { path: ENDPOINT, body: { weight: 5 } }),
    ]);
    expect(statuses([drained, weighed])).toEqual([200, 200]);
    expect(await endpoint(fleet)).toMatchObject({ operator_drain: true, operator_weight: 5 });
    await fleet.a.client.call('putMeshEndpointDrain', { path: ENDPOINT, body: { drain: false } });
  },
  async createToken(fleet) {
    const twin = { body: { name: 'twin', role: 'viewer' } };
    const answers = await both(fleet, 'createToken', twin, twin);
    expect(statuses(answers)).toEqual([201, 201]);
    const ids = answers.map(({ body }) => body.id as string).toSorted();
    await until(async () => {
      const { body } = await fleet.a.client.call('listTokens', { query: { name: 'twin' } });
      const listed = (body.items as readonly { id: string }[]).map(({ id }) => id);
      return listed.join() === ids.join() ? true : undefined;
    });
  },
  async revokeToken(fleet) {
    const { body } = await fleet.a.client.call('createToken', {
      body: { name: 'short-lived', role: 'viewer' },
    });
    const gone = { path: { id: body.id as string } };
    expect(statuses(await both(fleet, 'revokeToken', gone, gone))).toEqual([204, 404]);
  },
};

async function endpoint({ b }: OperationFleet): Promise<Answer['body']> {
  const { body } = await b.client.call('listMeshEndpoints', {
    query: { service: ENDPOINT.service },
  });
  return body.items[0];
}
