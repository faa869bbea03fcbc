import { describe, expect, it } from 'vitest';
import type { NodeStatus } from '../../src/admin/resources/node-status.ts';
import type { VersionReport } from '../../src/admin/resources/configuration-access.ts';
import { status } from '../../src/cli/status.ts';
import { NODES_SPACE } from '../../src/mesh/node/presence.ts';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from '../admin/admin-fixture.ts';
import { checkDocument, WELL } from '../admin/configured-admin.ts';
import { MemoryVersionStore } from '../admin/memory-version-store.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';
import { documentOf } from '../gateway/config/shared-document-fixture.ts';
import { fillMesh, runAdminVerb } from './admin-verbs.ts';

stopAdminsAfterEach();

const AT = WELL.started_at;

async function start(
  node: Partial<NodeStatus> = {},
  reports: readonly VersionReport[] = [],
): Promise<TestAdmin> {
  const store = new MemoryVersionStore();
  store.put(documentOf({}), { author: 'alice', message: 'first' });
  const admin = await startAdmin({
    status: () => ({ ...WELL, ...node }),
    configuration: {
      store,
      check: checkDocument,
      fileDocument: () => undefined,
      catalogue: standardPlugins,
      rollout: async () => reports,
      certificateInForce: () => undefined,
      explain: () => Promise.reject(new Error('not asked in this test')),
    },
  });
  await fillMesh(admin);
  const describe = { version: '1.2.3', zone: 'eu-1a', started_at: AT };
  await admin.backplane.report(NODES_SPACE, 'edge-1', describe, 60_000);
  await admin.backplane.report(NODES_SPACE, 'edge-2', { version: '1.2.2' }, 60_000);
  return admin;
}

describe('meshgate status', () => {
  it('shows the node, and the fleet as it knows it', async () => {
    const admin = await start({}, [
      { node: 'edge-1', state: 'applied', version: 1, at: AT },
      { node: 'edge-2', state: 'applied', version: 1, at: AT },
    ]);
    expect(await runAdminVerb(admin, status)).toEqual({
      code: 0,
      stdout: `node           edge-1, ready
version        1.2.3, since ${AT}
configuration  version 1 by alice at 1970-01-01T00:00:01.000Z: first
last reload    applied at ${AT}, revision 4 runs
backplane      redis, connected
endpoints      3 in the mesh: 3 healthy

NODE    VERSION  ZONE   SINCE                     CONFIGURATION
edge-1  1.2.3    eu-1a  ${AT}  version 1
edge-2  1.2.2    -      -                         version 1
`,
      stderr: '',
    });
  });

  it('ends with 1 and says what is not well', async () => {
    const admin = await start(
      {
        state: 'draining',
        configuration: {
          ...WELL.configuration,
          missing: 'the backplane',
          last_reload: { successful: false, at: AT, errors: ['m.yaml:1:1 no'] },
        },
        backplane: { kind: 'redis', connected: false, staleness_seconds: 3.2, reason: 'refused' },
      },
      [
        { node: 'edge-1', state: 'refused', version: 0, reason: 'no such file\nx', at: AT },
        { node: 'edge-2', state: 'pending', version: 0, at: AT },
      ],
    );
    const { code, stdout, stderr } = await runAdminVerb(admin, status);
    expect(code).toBe(1);
    expect(stdout).toContain(`last reload    refused at ${AT}, revision 4 runs\n`);
    expect(stdout).toContain(' m.yaml:1:1 no\n');
    expect(stdout).toContain('backplane      redis, not heard of for 4 s: refused\n');
    expect(stdout).toMatch(/^edge-1 .* refused, runs version 0: no such file$/m);
    expect(stderr).toBe(`not well: edge-1 is draining; missing: the backplane
not well: edge-1 refused its configuration, and runs the one before
not well: edge-1 has not heard of the backplane for 4 s
not well: edge-1 refused version 1
not well: edge-2 still runs version 0, not 1
`);
  });

  it('shows how each service is, and warns of one that routes lead to in vain', async () => {
    const service = { name: 'orders', total: 3, healthy: 3, unhealthy: 0, ejected: 0, draining: 0 };
    const services = [
      { ...service, checked: true, routed: true },
      { ...service, name: 'users', total: 2, healthy: 1, ejected: 1, checked: false, routed: true },
      { ...service, name: 'pay', healthy: 0, unhealthy: 3, checked: true, routed: true },
      { ...service, name: 'empty', total: 0, healthy: 0, checked: true, routed: true },
      { ...service, name: 'spare', total: 0, healthy: 0, checked: true, routed: false },
    ];
    const { code, stdout, stderr } = await runAdminVerb(await start({ services }), status);
    expect(code).toBe(1);
    expect(stdout).toContain(`
SERVICE  HEALTHY  NOTES
users    1 of 2   1 ejected, no healthCheck: known by requests alone
pay      0 of 3   3 unhealthy
empty    0 of 0
spare    0 of 0   no route leads to it
orders   3 of 3

NODE `);
    expect(stderr)
      .toBe(`not well: pay has no healthy endpoint (0 of 3) on edge-1, and routes lead to it
not well: empty has no endpoint on edge-1, and routes lead to it
`);
  });

  it('shows some of very many services, and first those that are not well', async () => {
    const one = { total: 1, unhealthy: 0, ejected: 0, draining: 0, checked: true, routed: false };
    const services = Array.from({ length: 30 }, (_, i) => {
      return { ...one, name: `s${i}`, healthy: i === 29 ? 0 : 1 };
    });
    const { stdout } = await runAdminVerb(await start({ services }), status);
    expect(stdout).toMatch(/^SERVICE .*\ns29 +0 of 1 .*\ns0 /m);
    expect(stdout).toContain('\nand 10 more; --json has them all\n');
  });

  it('shows which nodes take no version over, and why', async () => {
    const admin = await start();
    for (const config of ['file', 'none']) {
      await admin.backplane.report(NODES_SPACE, config, { config }, 60_000);
    }
    const { code, stdout } = await runAdminVerb(admin, status);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^file .* its own file$/m);
    expect(stdout).toMatch(/^none .* none: it has no MESHGATE_CONFIG_KEY$/m);
  });

  it('prints all of it as JSON', async () => {
    const admin = await start({ state: 'starting' });
    const { code, stdout, stderr } = await runAdminVerb(admin, status, '--json');
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toEqual({
      well: false,
      problems: ['edge-1 is starting'],
      node: { ...WELL, state: 'starting' },
      configuration: {
        owner: 'backplane',
        newest: expect.objectContaining({ version: 1, author: 'alice' }),
        staleness_seconds: 0,
      },
      nodes: [
        {
          name: 'edge-1',
          version: '1.2.3',
          zone: 'eu-1a',
          started_at: AT,
          config: null,
          configuration: null,
        },
        {
          name: 'edge-2',
          version: '1.2.2',
          zone: null,
          started_at: null,
          config: null,
          configuration: null,
        },
      ],
      silent: [],
      endpoints: { total: 3, healthy: 3, unhealthy: 0, ejected: 0, draining: 0, absent: 0 },
    });
  });

  it('knows nodes whose file has all of the configuration', async () => {
    const admin = await startAdmin({ status: () => WELL });
    const { code, stdout } = await runAdminVerb(admin, status);
    expect(code).toBe(0);
    expect(stdout).toContain('configuration  of the file of the node\n');
  });
});
