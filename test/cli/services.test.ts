import { describe, expect, it } from 'vitest';
import { services } from '../../src/cli/services.ts';
import { toFactorsValue } from '../../src/mesh/health/factor-record.ts';
import { toHintValue } from '../../src/mesh/health/health-hint.ts';
import { FACTORS_ID, hintIdOf } from '../../src/mesh/health/heard-health.ts';
import { startAdmin, stopAdminsAfterEach } from '../admin/admin-fixture.ts';
import { fillMesh, runAdminVerb } from './admin-verbs.ts';

stopAdminsAfterEach();

describe('meshgate services', () => {
  it('shows services and endpoints in a table', async () => {
    const admin = await startAdmin();
    await fillMesh(admin);
    expect(await runAdminVerb(admin, services)).toEqual({
      code: 0,
      stdout: `SERVICE  ENDPOINT     ADDRESS      ZONE   NODE  WEIGHT  STATE    NOTES
orders   10.0.0.1:80  10.0.0.1:80  eu-1a  n1         2  healthy
orders   10.0.0.2:80  10.0.0.2:80  -      n2         1  healthy
users    10.0.0.1:81  10.0.0.1:81  -      n1         1  healthy
`,
      stderr: '',
    });
  });

  it('notes what is out of the ordinary', async () => {
    const admin = await startAdmin();
    await fillMesh(admin);
    await admin.registry.override('orders', '10.0.0.1:80', { weight: 0.5, drain: true });
    await admin.registry.override('orders', 'gone', { weight: 1 });
    await admin.backplane.change('health:orders', [
      {
        type: 'put',
        kind: 'hint',
        id: hintIdOf('orders@n1'),
        value: toHintValue({
          node: 'n1',
          ejected: new Set(['10.0.0.2:80']),
          failing: new Map([['10.0.0.2:80', 'status 503']]),
        })!,
      },
      {
        type: 'put',
        kind: 'hint',
        id: FACTORS_ID,
        value: toFactorsValue(new Map([['10.0.0.2:80', { factor: 0.4, reason: 'slow' }]])),
      },
    ]);
    const { stdout } = await runAdminVerb(admin, services, 'orders');
    expect(stdout).toBe(
      `SERVICE  ENDPOINT     ADDRESS      ZONE   NODE  WEIGHT  STATE      NOTES
orders   10.0.0.1:80  10.0.0.1:80  eu-1a  n1       0.5  draining   weight by operator, registered 2; drained by operator
orders   10.0.0.2:80  10.0.0.2:80  -      n2         1  unhealthy  gets 40% of it: slow; fails on n1: status 503; put aside by n1
orders   gone         -            -      -          1  absent     weight by operator, registered none
`,
    );
  });

  it('prints all that is known as JSON', async () => {
    const admin = await startAdmin();
    await fillMesh(admin);
    const { code, stdout } = await runAdminVerb(admin, services, 'users', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      {
        name: 'users',
        endpoints: [expect.objectContaining({ id: '10.0.0.1:81', node: 'n1', state: 'healthy' })],
      },
    ]);
  });

  it('says so where there are none', async () => {
    const admin = await startAdmin();
    const { code, stdout } = await runAdminVerb(admin, services);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('no services: no instance is registered\nServices whose endpoints'),
    ]);
    expect((await runAdminVerb(admin, services, '--json')).stdout).toBe('[]\n');
  });

  it('shows a service that has lost its last endpoint', async () => {
    const admin = await startAdmin();
    const one = await admin.register('orders', { id: 'a', host: '10.0.0.1', port: 80 });
    await one.deregister();
    const { stdout } = await runAdminVerb(admin, services);
    expect(stdout.split('\n')[1]).toMatch(/^orders +- +- +- +- +- +-$/);
  });

  it('ends with 1 for a service that is not there, and names those that are', async () => {
    const admin = await startAdmin();
    await fillMesh(admin);
    expect(await runAdminVerb(admin, services, 'payments')).toEqual({
      code: 1,
      stdout: '',
      stderr: `meshgate services: the mesh has no service "payments"; it has: orders, users
Services whose endpoints are not found in the mesh are shown by "meshgate status".
`,
    });
  });

  it('ends with 2 for two services', async () => {
    const admin = await startAdmin();
    const { code, stderr } = await runAdminVerb(admin, services, 'a', 'b');
    expect(code).toBe(2);
    expect(stderr).toContain('meshgate services [SERVICE]');
  });

  it('lets nobody who registers steer the terminal', async () => {
    const admin = await startAdmin();
    const id = 'a\u001B[2J\u009B31m\u202Eb';
    await admin.register('orders', { id, host: '10.0.0.1', port: 80, zone: 'x\ny' });
    const { stdout } = await runAdminVerb(admin, services);
    expect(stdout).toContain('a?[2J?31m?b');
    expect(stdout).toContain('x?y');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
