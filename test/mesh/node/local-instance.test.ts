import { beforeEach, describe, expect, it } from 'vitest';
import type { Probe, ProbeReport } from '../../../src/mesh/health/probe.ts';
import { LocalInstance } from '../../../src/mesh/node/local-instance.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { ManualTime } from '../backplane/manual-time.ts';

const APPLICATION = { host: 'app', port: 1 };
const RULES = { intervalMs: 2_000, timeoutMs: 1_000, healthyThreshold: 1, unhealthyThreshold: 3 };

let time: ManualTime;
let told: string[];
let answer: ProbeReport['result'];
let looks: number;
let cancelled: number;

beforeEach(() => {
  time = new ManualTime();
  told = [];
  answer = 'pass';
  looks = 0;
  cancelled = 0;
});

const probe: Probe = (endpoint, timeoutMs, report) => {
  looks++;
  expect([endpoint.id, timeoutMs]).toEqual(['app:1', 1_000]);
  const callOff = time.schedule(1, () => report({ result: answer, detail: answer }));
  return {
    cancel() {
      cancelled++;
      callOff();
    },
  };
};

function create(): LocalInstance {
  const said = (what: string) => async (): Promise<boolean> => {
    told.push(what);
    return true;
  };
  return new LocalInstance({
    registration: {
      start: said('start'),
      drain: said('drain'),
      resume: said('resume'),
      deregister: said('deregister'),
      abandon: () => void said('abandon')(),
    },
    application: APPLICATION,
    probe,
    rules: RULES,
    log: SILENT,
    schedule: time.schedule,
  });
}

describe('an application beside a node', () => {
  it('is not registered before it passes, and is looked at four times a second until then', () => {
    answer = 'fail';
    create().start();
    time.advance(1_000);
    expect(looks).toBe(4);
    expect(told).toEqual([]);
    answer = 'pass';
    time.advance(252);
    expect(told).toEqual(['start']);
  });

  it('is looked at in the interval of its check once it is registered', () => {
    create().start();
    time.advance(1);
    looks = 0;
    time.advance(10 * 2_001);
    expect(looks).toBe(10);
    expect(told).toEqual(['start']);
  });

  it('is drained after three failures in a row, and taken back when it passes', () => {
    const instance = create();
    instance.start();
    time.advance(1);
    answer = 'fail';
    time.advance(2 * 2_001);
    expect(told).toEqual(['start']);
    time.advance(2_001);
    expect(told).toEqual(['start', 'drain']);
    expect(instance.healthy).toBe(false);
    answer = 'pass';
    time.advance(2_001);
    expect(told).toEqual(['start', 'drain', 'resume']);
  });

  it('says that it drains and then that it goes, and is looked at no more', async () => {
    const instance = create();
    instance.start();
    time.advance(1);
    expect(await instance.drain()).toBe(true);
    await instance.leave();
    looks = 0;
    time.advance(60_000);
    expect(told).toEqual(['start', 'drain', 'deregister']);
    expect(looks).toBe(0);
  });

  it('has nobody to tell when it goes without ever having passed', async () => {
    answer = 'fail';
    const instance = create();
    instance.start();
    time.advance(250);
    expect(await instance.drain()).toBe(false);
    await instance.leave();
    expect(told).toEqual([]);
  });

  it('gives up the look that is under way when it goes', async () => {
    const instance = create();
    instance.start();
    await instance.leave();
    time.advance(60_000);
    expect([cancelled, told]).toEqual([1, []]);
  });
});
