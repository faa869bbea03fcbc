import { describe, expect, it } from 'vitest';
import { drain } from '../../src/cli/drain.ts';
import type { Backplane } from '../../src/mesh/backplane/backplane.ts';
import { BackplaneError } from '../../src/mesh/backplane/backplane-error.ts';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from '../admin/admin-fixture.ts';
import { fillMesh, runAdminVerb } from './admin-verbs.ts';

stopAdminsAfterEach();

async function open(wrap?: (backplane: Backplane) => Backplane): Promise<TestAdmin> {
  const admin = await startAdmin({}, wrap);
  await fillMesh(admin);
  return admin;
}

async function drainedOf(admin: TestAdmin): Promise<string[]> {
  const drained: string[] = [];
  for (const service of ['orders', 'users']) {
    const { overrides } = await admin.registry.read({ service, includeDraining: true });
    for (const [id, override] of overrides) if (override.drain) drained.push(`${service} ${id}`);
  }
  return drained.toSorted();
}

describe('meshgate drain', () => {
  it('drains an endpoint by its id alone, and undoes it', async () => {
    const admin = await open();
    expect(await runAdminVerb(admin, drain, '10.0.0.2:80')).toEqual({
      code: 0,
      stdout: 'orders 10.0.0.2:80: drained\n',
      stderr: '',
    });
    expect(await drainedOf(admin)).toEqual(['orders 10.0.0.2:80']);
    expect(await runAdminVerb(admin, drain, '10.0.0.2:80', '--undo')).toEqual({
      code: 0,
      stdout: 'orders 10.0.0.2:80: in use (healthy)\n',
      stderr: '',
    });
    expect(await drainedOf(admin)).toEqual([]);
  });

  it('drains all that a node registered, and undoes it', async () => {
    const admin = await open();
    const { code, stdout } = await runAdminVerb(admin, drain, 'n1');
    expect([code, stdout]).toEqual([
      0,
      'orders 10.0.0.1:80: drained\nusers 10.0.0.1:81: drained\n',
    ]);
    expect(await drainedOf(admin)).toEqual(['orders 10.0.0.1:80', 'users 10.0.0.1:81']);
    const undone = await runAdminVerb(admin, drain, 'n1', '--undo', '--json');
    expect(JSON.parse(undone.stdout)).toMatchObject([
      { service: 'orders', operator_drain: false },
      { service: 'users', operator_drain: false },
    ]);
    expect(await drainedOf(admin)).toEqual([]);
  });

  it('names the choices where several services have an endpoint of that id', async () => {
    const admin = await open();
    await admin.register('users', { id: '10.0.0.2:80', host: '10.0.0.9', port: 80 });
    expect(await runAdminVerb(admin, drain, '10.0.0.2:80')).toEqual({
      code: 2,
      stdout: '',
      stderr: `meshgate drain: "10.0.0.2:80" may be one of several; say which:
  --service orders
  --service users
`,
    });
    expect(await drainedOf(admin)).toEqual([]);
    expect(await runAdminVerb(admin, drain, '10.0.0.2:80', '--service', 'users')).toMatchObject({
      code: 0,
      stdout: 'users 10.0.0.2:80: drained\n',
    });
  });

  it('tells a node from an endpoint of the same name only when it is told which', async () => {
    const admin = await open();
    await admin.register('users', { id: 'n1', host: '10.0.0.9', port: 80, node: 'n9' });
    const { code, stderr } = await runAdminVerb(admin, drain, 'n1');
    expect(code).toBe(2);
    expect(stderr).toContain('--service users\n  --node (2 endpoints)\n');
    await runAdminVerb(admin, drain, 'n1', '--service', 'users');
    expect(await drainedOf(admin)).toEqual(['users n1']);
    await runAdminVerb(admin, drain, 'n1', '--node');
    expect(await drainedOf(admin)).toEqual(['orders 10.0.0.1:80', 'users 10.0.0.1:81', 'users n1']);
  });

  it.each([
    [['nobody'], 'the mesh has no node or endpoint "nobody"; "meshgate services"'],
    [['10.0.0.1:80', '--node'], 'the mesh has no node "10.0.0.1:80"'],
    [['10.0.0.1:80', '--service', 'users'], 'no endpoint "10.0.0.1:80" of the service "users"'],
  ])('ends with 1 for %j', async (argv, says) => {
    const admin = await open();
    const { code, stderr } = await runAdminVerb(admin, drain, ...argv);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(await drainedOf(admin)).toEqual([]);
  });

  it.each([[[]], [['a', 'b']], [['a', '--service', 's', '--node']]])(
    'ends with 2 for the arguments %j',
    async (argv) => {
      const admin = await startAdmin();
      const { code, stderr } = await runAdminVerb(admin, drain, ...argv);
      expect(code).toBe(2);
      expect(stderr).toContain('meshgate drain NODE|ENDPOINT');
    },
  );

  it('goes on where one of several cannot be drained, and ends with 1', async () => {
    const admin = await open((backplane) => ({
      ...backplane,
      async change(space, mutations) {
        if (space === 'svc:orders') throw new BackplaneError('refused', 'out of memory');
        return backplane.change(space, mutations);
      },
    }));
    const { code, stdout, stderr } = await runAdminVerb(admin, drain, 'n1');
    expect([code, stdout]).toEqual([1, 'users 10.0.0.1:81: drained\n']);
    expect(stderr).toBe(
      'meshgate drain: orders 10.0.0.1:80: The backplane cannot be asked: out of memory (no change).\n',
    );
  });

  it('undoes the drain of an endpoint that is gone', async () => {
    const admin = await open();
    await admin.registry.override('orders', 'gone', { drain: true });
    expect(await runAdminVerb(admin, drain, 'gone', '--undo')).toMatchObject({
      code: 0,
      stdout: 'orders gone: in use (absent)\n',
    });
    expect(await drainedOf(admin)).toEqual([]);
  });
});
