/** Whether Redis is asked at all. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StoreHealth } from '../../../src/mesh/limits/store-health.ts';
import { ManualTime } from '../backplane/manual-time.ts';

function createHealth(lanes = 1) {
  const time = new ManualTime();
  const probes: { lane: number; settle: (outcome: 'in time' | 'late' | Error) => Promise<void> }[] =
    [];
  const lines: string[] = [];
  const say = (fields: object, message: string): void => {
    lines.push('reason' in fields ? `${message}: ${String(fields.reason)}` : message);
  };
  const health = new StoreHealth({
    counter: 'Redis',
    lanes,
    schedule: time.schedule,
    monotonic: time.monotonic,
    random: () => 0.5,
    log: { debug() {}, info: say, warn: say, error: say },
    probe: (lane) =>
      new Promise((resolve, reject) => {
        probes.push({
          lane,
          settle(outcome) {
            if (outcome instanceof Error) reject(outcome);
            else resolve({ isInTime: outcome === 'in time' });
            return nextTurn();
          },
        });
      }),
  });
  return { health, time, probes, lines };
}

const WARNING = 'rate limits go without Redis, each by its onUnavailable';

describe('the health of the store', () => {
  it('is bad from the first failure until a probe, sent at once, is answered in time', async () => {
    const { health, probes, lines } = createHealth();
    expect(health.isUp(0)).toBe(true);
    health.failed(0, 'no answer in time');
    health.failed(0, 'no answer in time');
    expect(health.isUp(0)).toBe(false);
    expect(probes).toHaveLength(1);
    await probes[0]!.settle('in time');
    expect(health.isUp(0)).toBe(true);
    // One answer that was late is nothing to tell.
    expect(lines).toEqual([]);
  });

  it('is tried again at growing intervals, a second at most, and told once each way', async () => {
    const { health, time, probes, lines } = createHealth();
    health.failed(0, 'gone');
    const delaysMs: number[] = [];
    const told: number[] = [];
    for (let i = 0; i < 8; i++) {
      await probes.at(-1)!.settle(i % 2 === 0 ? new Error('refused') : 'late');
      expect(health.isUp(0)).toBe(false);
      delaysMs.push(time.delaysMs[0]!);
      told.push(lines.length);
      time.advance(time.delaysMs[0]!);
    }
    expect(delaysMs).toEqual([50, 100, 200, 400, 500, 500, 500, 500]);
    // Less than a second of it is nothing to tell.
    expect(told).toEqual([0, 0, 0, 0, 0, 1, 1, 1]);
    await probes.at(-1)!.settle('in time');
    expect(health.isUp(0)).toBe(true);
    expect(lines).toEqual([
      `${WARNING}: it answers late`,
      'rate limits are counted in Redis again',
    ]);
  });

  it('goes by lanes, and by the connection for all of them', async () => {
    const { health, time, probes } = createHealth(3);
    health.failed(1, 'gone');
    expect([0, 1, 2].map((lane) => health.isUp(lane))).toEqual([true, false, true]);
    await probes[0]!.settle(new Error('gone'));
    health.connectionChanged(false);
    expect([0, 1, 2].map((lane) => health.isUp(lane))).toEqual([false, false, false]);
    for (const { settle } of probes.slice(1)) await settle(new Error('gone'));
    expect(time.delaysMs).toHaveLength(3);
    const before = probes.length;
    health.connectionChanged(true);
    // Not at the next turn of each, but now.
    expect(probes).toHaveLength(before + 3);
    expect(time.delaysMs).toEqual([]);
    for (const { settle } of probes.slice(before)) await settle('in time');
    expect([0, 1, 2].map((lane) => health.isUp(lane))).toEqual([true, true, true]);
  });

  it('tries nothing more once it is closed', async () => {
    const { health, time, probes } = createHealth();
    health.failed(0, 'gone');
    await probes[0]!.settle(new Error('gone'));
    health.close();
    expect(time.delaysMs).toEqual([]);
    health.connectionChanged(true);
    expect(probes).toHaveLength(1);
  });
});
