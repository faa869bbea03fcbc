import { describe, expect, it } from 'vitest';
import {
  isProblem,
  send,
  startAdmin,
  stopAdminsAfterEach,
  type AdminAnswer,
  type Ask,
  type TestAdmin,
} from './admin-fixture.ts';
import { askWith, makeToken } from './token-fixture.ts';

stopAdminsAfterEach();

describe('bad tokens from one address', () => {
  /** Its time stands still. */
  const open = (): Promise<TestAdmin> =>
    startAdmin({ clock: { now: Date.now, monotonic: () => 1_000 } });

  function guess(admin: TestAdmin, i: number, ask: Ask = {}): Promise<AdminAnswer> {
    const token = `mg_${String(i).padStart(43, 'x')}`;
    return askWith(admin, token, '/v1/tokens', ask);
  }

  it('are answered with 429 and when to come again from the tenth on', async () => {
    const admin = await open();
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++) statuses.push((await guess(admin, i)).status);
    expect(statuses).toEqual(Array(10).fill(401));
    const { status, headers, body } = await guess(admin, 10);
    expect([status, headers['retry-after'], body['code'], isProblem(body)]).toEqual([
      429,
      '1',
      'rate_limited',
      true,
    ]);
  });

  it('leave the way to tokens that were used from there, and tell nothing of others', async () => {
    const admin = await open();
    const [used, unused] = [await makeToken(admin, {}), await makeToken(admin, {})];
    expect((await askWith(admin, used.token, '/v1/mesh/nodes')).status).toBe(200);
    for (let i = 0; i < 11; i++) await guess(admin, i);
    expect((await askWith(admin, used.token, '/v1/mesh/nodes')).status).toBe(200);
    const [good, bad] = [await askWith(admin, unused.token, '/v1/tokens'), await guess(admin, 12)];
    expect([good.status, good.body['detail']]).toEqual([429, bad.body['detail']]);
  });

  it('shut out nobody elsewhere', async () => {
    const admin = await open();
    const made = await makeToken(admin, {});
    for (let i = 0; i < 10; i++) await guess(admin, i, { localAddress: '127.0.0.2' });
    expect((await guess(admin, 10, { localAddress: '127.0.0.2' })).status).toBe(429);
    expect((await askWith(admin, made.token, '/v1/mesh/nodes')).status).toBe(200);
  });

  it('do not make those wait who have none', async () => {
    const admin = await open();
    for (let i = 0; i < 11; i++) await guess(admin, i);
    expect((await send(admin.port, '/v1/tokens')).status).toBe(401);
  });
});
