import { beforeEach, describe, expect, it } from 'vitest';
import { Registration } from '../../../src/mesh/registry/registration.ts';
import { SILENT } from '../../contracts/backplane-fixture.ts';
import { ManualTime } from '../backplane/manual-time.ts';
import { ScriptedBackplane, settle } from './scripted-backplane.ts';

let time: ManualTime;
let backplane: ScriptedBackplane;
let random: number;

beforeEach(() => {
  time = new ManualTime();
  backplane = new ScriptedBackplane();
  random = 0.5;
});

function create(): Registration {
  return new Registration({
    backplane: backplane.port,
    service: 'orders',
    instance: { id: 'a', host: 'h', port: 1 },
    monotonic: time.monotonic,
    random: () => random,
    log: SILENT,
    schedule: time.schedule,
  });
}

async function pass(ms: number): Promise<void> {
  time.advance(ms);
  await settle();
}

/** What was asked since the last call. */
function asked(): string[] {
  return backplane.asked.splice(0);
}

describe('a registration', () => {
  it('puts itself with a lease of 15 s, and renews every 5 s ± 20%', async () => {
    const registration = create();
    expect(await registration.start()).toBe(true);
    expect(asked()).toEqual(['put', 'report services orders']);
    expect(backplane.mutations).toMatchObject([
      { kind: 'inst', id: 'a', leaseMs: 15_000, when: undefined },
    ]);
    expect(time.delaysMs).toEqual([5_000]);
    await pass(5_000);
    expect(asked()).toEqual(['renew']);
    random = 0;
    await pass(5_000);
    expect(time.delaysMs).toEqual([4_000]);
  });

  it('announces its service once a minute', async () => {
    await create().start();
    asked();
    for (let beat = 0; beat < 11; beat += 1) await pass(5_000);
    expect(asked()).toEqual(Array(11).fill('renew'));
    await pass(5_000);
    expect(asked()).toEqual(['renew', 'report services orders']);
  });

  it('registers again, and its service too, when it is unknown', async () => {
    const registration = create();
    await registration.start();
    asked();
    backplane.renewals = ['unknown', 'renewed'];
    await pass(5_000);
    expect(asked()).toEqual(['renew', 'put', 'report services orders']);
    expect(backplane.mutations[1]).toMatchObject({ when: { notNewerThan: 1 } });
    expect(registration.generation).toBe(2);
    await pass(5_000);
    expect(asked()).toEqual(['renew']);
  });

  it('asks again soon after a failure, later and later, and beats as ever after a success', async () => {
    backplane.renewals = [undefined, undefined, undefined, 'renewed'];
    await create().start();
    await pass(5_000);
    expect(time.delaysMs).toEqual([50]); // Half of 100 ms.
    await pass(50);
    expect(time.delaysMs).toEqual([100]);
    await pass(100);
    expect(time.delaysMs).toEqual([200]);
    await pass(200);
    expect(time.delaysMs).toEqual([5_000]);
  });

  it('goes on trying when it could not register at first', async () => {
    backplane.changes = [undefined, { applied: true, epoch: 'e', revision: 1, generations: [7] }];
    const registration = create();
    expect(await registration.start()).toBe(false);
    expect(registration.state).toBe('registering');
    await pass(100);
    expect([registration.state, registration.generation]).toEqual(['registered', 7]);
  });

  it('comes back within a second of the connection, each at its own time', async () => {
    const registration = create();
    await registration.start();
    asked();
    backplane.connect(false);
    expect(time.delaysMs).toEqual([5_000]);
    random = 0.25;
    backplane.connect(true);
    expect(time.delaysMs).toEqual([250]);
    await pass(250);
    expect(asked()).toEqual(['renew']);
    await registration.deregister();
    backplane.connect(true);
    expect(time.delaysMs).toEqual([]);
  });

  it('ends when it is superseded, and never takes its place back', async () => {
    const registration = create();
    await registration.start();
    backplane.renewals = ['superseded'];
    await pass(5_000);
    expect(registration.state).toBe('superseded');
    expect(time.delaysMs).toEqual([]);
    asked();
    expect(await registration.drain()).toBe(false);
    expect(await registration.deregister()).toBe(false);
    expect(asked()).toEqual([]);
  });

  it('says one thing at a time, and the last one wins', async () => {
    const registration = create();
    const done = [registration.start(), registration.drain(), registration.resume()];
    expect(await Promise.all(done)).toEqual([true, true, true]);
    expect(backplane.mutations.at(-1)).toMatchObject({ value: { host: 'h', port: 1 } });
    expect(backplane.mutations.at(-1)).not.toMatchObject({ value: { draining: true } });
    expect(time.delaysMs).toEqual([5_000]);
  });

  it('keeps draining when it has to register again', async () => {
    const registration = create();
    await registration.start();
    await registration.drain();
    backplane.renewals = ['unknown'];
    await pass(5_000);
    expect(backplane.mutations.at(-1)).toMatchObject({ value: { draining: true } });
  });

  it('deregisters after what is under way, and fails without harm', async () => {
    const registration = create();
    const starting = registration.start();
    const leaving = registration.deregister();
    expect(await starting).toBe(false);
    expect(await leaving).toBe(true);
    expect(backplane.mutations.map(({ type }) => type)).toEqual(['put', 'remove']);
    expect(time.delaysMs).toEqual([]);

    const other = create();
    await other.start();
    backplane.changes = [undefined];
    expect(await other.deregister()).toBe(false);
    expect([other.state, time.delaysMs]).toEqual(['ended', []]);
  });
});

describe('a registration that is abandoned', () => {
  it('is heard of no more, and leaves its record to its successor', async () => {
    const registration = create();
    await registration.start();
    asked();
    registration.abandon();
    expect(registration.state).toBe('ended');
    expect(await registration.deregister()).toBe(false);
    await pass(60_000);
    expect(asked()).toEqual([]);
  });
});
