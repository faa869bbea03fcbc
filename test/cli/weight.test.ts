import { describe, expect, it } from 'vitest';
import { weight } from '../../src/cli/weight.ts';
import { startAdmin, stopAdminsAfterEach, type TestAdmin } from '../admin/admin-fixture.ts';
import { fillMesh, runAdminVerb } from './admin-verbs.ts';

stopAdminsAfterEach();

async function open(): Promise<TestAdmin> {
  const admin = await startAdmin();
  await fillMesh(admin);
  return admin;
}

async function operatorsOf(admin: TestAdmin): Promise<unknown> {
  const { overrides } = await admin.registry.read({ service: 'orders', includeDraining: true });
  return overrides.get('10.0.0.1:80');
}

describe('meshgate weight', () => {
  it('sets the weight, and takes it back by reset', async () => {
    const admin = await open();
    expect(await runAdminVerb(admin, weight, 'orders', '10.0.0.1:80', '0.5')).toEqual({
      code: 0,
      stdout: 'orders 10.0.0.1:80: weight 0.5 (registered 2)\n',
      stderr: '',
    });
    expect(await operatorsOf(admin)).toEqual({ weight: 0.5, drain: false });
    expect(await runAdminVerb(admin, weight, 'orders', '10.0.0.1:80', 'reset')).toEqual({
      code: 0,
      stdout: 'orders 10.0.0.1:80: weight 2 (as registered)\n',
      stderr: '',
    });
    expect(await operatorsOf(admin)).toBeUndefined();
  });

  it('prints the endpoint as JSON', async () => {
    const admin = await open();
    const { stdout } = await runAdminVerb(admin, weight, 'orders', '10.0.0.1:80', '7', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id: '10.0.0.1:80', operator_weight: 7 });
  });

  it('ends with 1 for an endpoint or a service that is not there', async () => {
    const admin = await open();
    const { code, stdout, stderr } = await runAdminVerb(admin, weight, 'orders', 'nobody', '1');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe('meshgate weight: The service "orders" has no endpoint "nobody".\n');
    const elsewhere = await runAdminVerb(admin, weight, 'no such', 'x', '1');
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toContain('service: must match pattern');
  });

  it.each(['x', '-1', '1e3', '0x10', '', ' 1', '1000001', 'Infinity', 'RESET'])(
    'ends with 2 for the weight %j',
    async (text) => {
      const admin = await open();
      const { code, stderr } = await runAdminVerb(
        admin,
        weight,
        ...(text.startsWith('-') ? ['--'] : []),
        'orders',
        '10.0.0.1:80',
        text,
      );
      expect(code).toBe(2);
      expect(stderr).toContain('not a weight from 0 to 1000000, nor "reset"');
      expect(await operatorsOf(admin)).toBeUndefined();
    },
  );

  it('says of a negative weight what weights there are', async () => {
    const { code, stderr } = await runAdminVerb(await startAdmin(), weight, 'orders', 'a', '-5');
    expect(code).toBe(2);
    expect(stderr).toContain('a weight is 0 or more: -5\n');
  });

  it.each([[[]], [['orders']], [['orders', 'a']], [['orders', 'a', '1', 'b']]])(
    'ends with 2 for the arguments %j',
    async (argv) => {
      const admin = await startAdmin();
      const { code, stderr } = await runAdminVerb(admin, weight, ...argv);
      expect(code).toBe(2);
      expect(stderr).toContain('meshgate weight SERVICE ENDPOINT N|reset');
    },
  );
});
