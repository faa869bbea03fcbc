import { beforeEach, describe, expect, it } from 'vitest';
import { createReaper, REAP_MAX_SHARE, type Reaper } from '../../../src/mesh/registry/reaper.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { ManualTime } from '../backplane/manual-time.ts';
import { ScriptedBackplane, settle } from './scripted-backplane.ts';

const ORDERS = ['expire svc:orders inst', 'expire svc:orders hint'];
const USERS = ['expire svc:users inst', 'expire svc:users hint'];

let time: ManualTime;
let backplane: ScriptedBackplane;
let reaper: Reaper;

beforeEach(() => {
  time = new ManualTime();
  backplane = new ScriptedBackplane();
  reaper = createReaper({
    backplane: backplane.port,
    registry: { services: async () => ['orders', 'users'] },
    monotonic: time.monotonic,
    random: () => 0.5,
    log: SILENT,
    schedule: time.schedule,
  });
});

function asked(): string[] {
  return backplane.asked.splice(0);
}

describe('the reaper', () => {
  it('takes 15% of a service at most', () => {
    expect(REAP_MAX_SHARE).toBe(0.15);
  });

  it('passes over every service about every 5 s, when it is its turn', async () => {
    reaper.start();
    expect(time.delaysMs).toEqual([5_000]);
    time.advance(5_000);
    await settle();
    expect(asked()).toEqual(['turn', ...ORDERS, ...USERS]);
    expect(time.delaysMs).toEqual([5_000]);
    backplane.turns = [false];
    time.advance(5_000);
    await settle();
    expect(asked()).toEqual(['turn']);
    reaper.stop();
    expect(time.delaysMs).toEqual([]);
  });

  it('says how many it took', async () => {
    backplane.expiries = [['a', 'b'], [], ['c'], []];
    expect(await reaper.pass()).toBe(3);
  });

  it('rests a lease after the backplane came back', async () => {
    backplane.connect(false);
    await reaper.pass();
    backplane.connect(true, time.monotonic());
    time.advance(14_999);
    await reaper.pass();
    expect(asked()).toEqual([]);
    time.advance(1);
    await reaper.pass();
    expect(asked()).toHaveLength(5);
  });

  it('rests a lease after its turn could not be asked for', async () => {
    backplane.turns = [undefined, true];
    expect(await reaper.pass()).toBe(0);
    asked();
    time.advance(14_999);
    await reaper.pass();
    expect(asked()).toEqual([]);
    time.advance(1);
    await reaper.pass();
    expect(asked()).toHaveLength(5);
  });

  it('lets a service rest that failed, and goes on with the others', async () => {
    backplane.expiries = [undefined, ['x'], []];
    expect(await reaper.pass()).toBe(1);
    expect(asked()).toEqual(['turn', ORDERS[0], ...USERS]);
    time.advance(14_999);
    await reaper.pass();
    expect(asked()).toEqual(['turn', ...USERS]);
    time.advance(1);
    await reaper.pass();
    expect(asked()).toEqual(['turn', ...ORDERS, ...USERS]);
  });
});
