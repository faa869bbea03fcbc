import { describe, expect, it } from 'vitest';
import { createPaced } from '../../../src/gateway/config/paced.ts';

const REST_MS = 100;

function createSetting() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; run: () => void }>();
  const ends: (() => void)[] = [];
  const paced = createPaced(
    () => new Promise<void>((resolve) => ends.push(resolve)),
    REST_MS,
    () => nowMs,
    (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  );
  return {
    paced,
    get runs() {
      return ends.length;
    },
    async end() {
      ends.at(-1)!();
      await new Promise(setImmediate);
    },
    pass(ms: number) {
      nowMs += ms;
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.run();
      }
    },
  };
}

describe('what is paced', () => {
  it('is done at once, and again at once after a rest', async () => {
    const setting = createSetting();
    setting.paced.want();
    expect(setting.runs).toBe(1);
    await setting.end();
    setting.pass(REST_MS);
    setting.paced.want();
    expect(setting.runs).toBe(2);
  });

  it('is done once for all who want it within the rest, which begins when the last one ended', async () => {
    const setting = createSetting();
    setting.paced.want();
    setting.paced.want();
    setting.pass(REST_MS);
    await setting.end();
    setting.paced.want();
    setting.pass(REST_MS - 1);
    expect(setting.runs).toBe(1);
    setting.pass(1);
    expect(setting.runs).toBe(2);
    await setting.end();
    setting.pass(2 * REST_MS);
    expect(setting.runs).toBe(2);
  });

  it('is done before its time for who waits until it is settled', async () => {
    const setting = createSetting();
    setting.paced.want();
    await setting.end();
    setting.paced.want();
    let isSettled = false;
    const settled = setting.paced.settled().then(() => (isSettled = true));
    expect(setting.runs).toBe(2);
    await new Promise(setImmediate);
    expect(isSettled).toBe(false);
    await setting.end();
    await settled;
  });

  it('is not done any more once it is cancelled', async () => {
    const setting = createSetting();
    setting.paced.want();
    await setting.end();
    setting.paced.want();
    setting.paced.cancel();
    setting.pass(REST_MS);
    expect(setting.runs).toBe(1);
    await setting.paced.settled();
  });
});
