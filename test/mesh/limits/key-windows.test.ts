/** The windows of a limiter's keys. */
import { describe, expect, it } from 'vitest';
import { KeyWindows } from '../../../src/mesh/limits/key-windows.ts';

function createWindows(windowMs: number, maxKeys: number) {
  const closed: string[] = [];
  return { windows: new KeyWindows(windowMs, maxKeys, (key) => closed.push(key)), closed };
}

describe('the windows of keys', () => {
  it('run from the opening of each for the same length', () => {
    const { windows } = createWindows(1000, 10);
    windows.open('a', 0);
    windows.open('b', 600);
    expect(windows.find('a', 999)?.endsAtMs).toBe(1000);
    expect(windows.find('a', 1000)).toBeUndefined();
    expect(windows.find('b', 1599)?.endsAtMs).toBe(1600);
    expect(windows.find('c', 0)).toBeUndefined();
  });

  it('close an ended one when its key opens anew, so that its count starts at nothing', () => {
    const { windows, closed } = createWindows(1000, 10);
    windows.open('a', 0).spent = 7;
    expect(windows.open('a', 1000)).toMatchObject({ spent: 0, endsAtMs: 2000 });
    expect(closed).toEqual(['a']);
    expect(windows.size).toBe(1);
  });

  it('are swept once they have ended, the oldest first, no more than asked for', () => {
    const { windows, closed } = createWindows(1000, 10);
    for (const [index, key] of ['a', 'b', 'c'].entries()) windows.open(key, index);
    windows.open('d', 900);
    windows.sweep(1500, 2);
    expect(closed).toEqual(['a', 'b']);
    windows.sweep(1500, 9);
    expect(closed).toEqual(['a', 'b', 'c']);
    expect(windows.find('d', 1500)).toBeDefined();
  });

  it('are not swept by the place that a key had in line before it opened anew', () => {
    const { windows, closed } = createWindows(1000, 10);
    windows.open('a', 0);
    windows.open('a', 1000);
    closed.length = 0;
    windows.sweep(1500, 9);
    expect(closed).toEqual([]);
    expect(windows.find('a', 1500)).toBeDefined();
  });

  it('evict the oldest at the bound, and count it', () => {
    const { windows, closed } = createWindows(1000, 2);
    windows.open('a', 0);
    windows.open('b', 1);
    windows.open('c', 2);
    expect(closed).toEqual(['a']);
    expect(windows.size).toBe(2);
    expect(windows.evictions).toBe(1);
    expect(windows.find('b', 3)).toBeDefined();
  });

  it('evict by the newest opening of a key, not by its first', () => {
    const { windows } = createWindows(1000, 2);
    windows.open('a', 0);
    windows.open('b', 500);
    windows.open('a', 1000);
    windows.open('c', 1001);
    expect(windows.find('a', 1002)).toBeDefined();
    expect(windows.find('b', 1002)).toBeUndefined();
  });

  it('stay within the bound whatever comes, and can be emptied and filled again', () => {
    const { windows } = createWindows(10, 50);
    for (let i = 0; i < 2000; i++) {
      const key = `k${(i * 7) % 120}`;
      if (windows.find(key, i) === undefined) windows.open(key, i);
      expect(windows.size).toBeLessThanOrEqual(50);
    }
    windows.sweep(5000, 10_000);
    expect(windows.size).toBe(0);
    windows.open('again', 5000);
    expect(windows.find('again', 5001)).toBeDefined();
    windows.sweep(6000, 1);
    expect(windows.size).toBe(0);
  });
});
