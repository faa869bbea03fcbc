import { describe, expect, it } from 'vitest';
import { createAttemptGuard, toSource } from '../../../src/admin/access/attempt-guard.ts';
import { ManualTime } from '../../mesh/backplane/manual-time.ts';

function open() {
  const time = new ManualTime();
  return { time, guard: createAttemptGuard(time.monotonic) };
}

describe('bad tokens from one address', () => {
  it('are slowed from the tenth on, twice as long each time, up to a minute', () => {
    const { time, guard } = open();
    const waits: number[] = [];
    for (let i = 0; i < 18; i++) {
      guard.fail('a', `guess ${i}`);
      waits.push(guard.waitMs('a'));
      time.advance(guard.waitMs('a'));
    }
    expect(waits.slice(0, 9)).toEqual(Array(9).fill(0));
    expect(waits.slice(9)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
    ]);
    expect(guard.waitMs('a')).toBe(0);
  });

  it('slow nobody elsewhere', () => {
    const { guard } = open();
    for (let i = 0; i < 50; i++) guard.fail('a', `guess ${i}`);
    expect([guard.waitMs('a') > 0, guard.waitMs('b')]).toEqual([true, 0]);
  });

  it('are forgotten after a quarter of an hour', () => {
    const { time, guard } = open();
    for (let i = 0; i < 30; i++) guard.fail('a', `guess ${i}`);
    time.advance(15 * 60_000);
    guard.fail('a', 'another');
    expect(guard.waitMs('a')).toBe(0);
  });

  it('that are the same one over and over are no guesses: they wait a second after a hundred', () => {
    const { time, guard } = open();
    const waits: number[] = [];
    for (let i = 0; i < 200; i++) {
      guard.fail('a', 'revoked');
      waits.push(guard.waitMs('a'));
      time.advance(guard.waitMs('a'));
    }
    const first = waits.indexOf(1_000);
    // The first one is new.
    expect(first).toBe(90);
    expect(new Set(waits.slice(0, first))).toEqual(new Set([0]));
    expect(new Set(waits.slice(first))).toEqual(new Set([1_000]));
  });

  it('leave the way to whoever has proven his token there', () => {
    const { guard } = open();
    guard.pass('a', 'mine');
    for (let i = 0; i < 50; i++) guard.fail('a', `guess ${i}`);
    expect(guard.isProven('a', 'mine')).toBe(true);
    expect([guard.isProven('a', 'other'), guard.isProven('b', 'mine')]).toEqual([false, false]);
  });

  it('take no memory without end: the quietest address is forgotten', () => {
    const { guard } = open();
    for (let i = 0; i < 20; i++) guard.fail('first', `guess ${i}`);
    for (let i = 0; i < 9_999; i++) guard.fail(`source ${i}`, 'x');
    expect(guard.waitMs('first')).toBeGreaterThan(0);
    guard.fail('one more', 'x');
    expect(guard.waitMs('first')).toBe(0);
  });
});

describe('the source of a connection', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('%s is %s', (address, source) => {
    expect(toSource(address)).toBe(source);
  });
});
