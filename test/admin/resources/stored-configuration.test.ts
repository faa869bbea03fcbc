/** The resources over the real store of versions, two nodes on one backplane. */
import { rm } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEmbeddedBackplane } from '../../../src/mesh/backplane/embedded/embedded-backplane.ts';
import { CLOCK, SILENT } from '../../contracts/backplane-fixture.ts';
import { createFolder } from '../../gateway/config/config-file.ts';
import {
  newKey,
  startVersionNode,
  type VersionNode,
} from '../../gateway/config/versions/version-node.ts';
import { stopAdminsAfterEach } from '../admin-fixture.ts';
import {
  NOTHING,
  SECRET,
  SOME,
  startConfigured,
  type ConfiguredAdmin,
} from '../configured-admin.ts';

stopAdminsAfterEach();

const SERVICE = { endpoints: [{ address: '127.0.0.1:3009' }] };

interface Node {
  readonly admin: ConfiguredAdmin;
  readonly versions: VersionNode;
}

/** Two nodes, unless their keys are given. */
async function startNodes(
  keys: readonly (string | undefined)[] = sameKeys(),
): Promise<readonly Node[]> {
  const backplane = createEmbeddedBackplane({
    directory: await createFolder(),
    clock: CLOCK,
    log: SILENT,
  });
  await backplane.start();
  const nodes: Node[] = [];
  for (const key of keys) {
    const versions = await startVersionNode({ backplane, key, isShared: true });
    nodes.push({ versions, admin: await startConfigured({ store: versions.store }, NOTHING) });
  }
  onTestFinished(async () => {
    for (const { versions } of nodes) {
      await versions.close();
      await rm(versions.dataDir, { recursive: true, force: true });
    }
    await backplane.close();
  });
  return nodes;
}

function sameKeys(): readonly string[] {
  const key = newKey();
  return [key, key];
}

describe('a change', () => {
  it('made at one node is read at the other, undone there, and kept', async () => {
    const [here, there] = (await startNodes()) as [Node, Node];
    expect((await here.admin.put('/v1/config?message=first', SOME)).status).toBe(201);
    expect((await here.admin.patch('/v1/routes/orders', { timeout: '5s' })).status).toBe(200);
    await there.versions.until(({ version }) => version === 2);
    const read = await there.admin.get('/v1/routes/orders');
    expect([read.status, read.body['timeout'], read.headers['meshgate-version']]).toEqual([
      200,
      '5s',
      '2',
    ]);
    expect(JSON.stringify(read.body)).not.toContain(SECRET);
    const back = await there.admin.post('/v1/config/rollback', { version: 1 });
    expect([back.status, back.body]).toMatchObject([
      201,
      { version: { version: 3, rollback_of: 1 } },
    ]);
    await here.versions.until(({ version }) => version === 3);
    const { body } = await here.admin.get('/v1/config/versions');
    expect(body['items']).toMatchObject([
      { version: 3, rollback_of: 1 },
      { version: 2, author: 'admin-token' },
      { version: 1, message: 'first' },
    ]);
    const [newest, , oldest] = body['items'] as { hash: string }[];
    expect(newest!.hash).toBe(oldest!.hash);
    const detail = await here.admin.get('/v1/config/versions/2');
    expect(detail.body['changes']).toEqual([
      { kind: 'added', path: 'routes.orders.timeout', after: '5s' },
    ]);
    expect(
      (await here.admin.put('/v1/config/versions/2/pin', { pinned: true })).body['pinned'],
    ).toBe(true);
  });

  it('at both nodes at once loses nothing', async () => {
    const nodes = await startNodes();
    await nodes[0]!.admin.put('/v1/config', SOME);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => nodes[i % 2]!.admin.put(`/v1/services/s${i}`, SERVICE)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const { document } = await nodes[0]!.versions.until(({ version }) => version === 13);
    expect(Object.keys(document.services).length).toBe(14);
  });

  it('to what the other node has changed is refused', async () => {
    const [here, there] = (await startNodes()) as [Node, Node];
    await here.admin.put('/v1/config', SOME);
    await there.versions.until(({ version }) => version === 1);
    const { headers } = await there.admin.get('/v1/services/payments');
    expect((await here.admin.put('/v1/services/payments', SERVICE)).status).toBe(200);
    const seen = { 'if-match': String(headers['etag']) };
    const late = await there.admin.put(
      '/v1/services/payments',
      { ...SERVICE, protocol: 'h2c' },
      seen,
    );
    expect(late.status).toBe(412);
    const { document } = await there.versions.until(({ version }) => version === 2);
    expect(document.services['payments']).toEqual(SERVICE);
  });
});

describe('a node without the key', () => {
  it('says so, names the remedy and writes nothing', async () => {
    const [here, there] = (await startNodes([newKey(), undefined])) as [Node, Node];
    expect((await there.admin.put('/v1/config', SOME)).body).toMatchObject({
      status: 503,
      code: 'no_config_key',
      detail: expect.stringContaining('MESHGATE_CONFIG_KEY'),
    });
    await here.admin.put('/v1/config', SOME);
    await there.versions.untilUnreadable();
    const { status, body } = await there.admin.get('/v1/config/versions/1');
    expect([status, body['code']]).toEqual([503, 'version_unreadable']);
    expect((await there.admin.put('/v1/config', { services: { a: SERVICE } })).status).toBe(503);
    expect((await here.admin.get('/v1/config/versions')).body['items']).toMatchObject([
      { version: 1 },
    ]);
  });
});
