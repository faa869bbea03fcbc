/** How many points are drawn at once. */
import { describe, expect, it } from 'vitest';
import { horizonMs, toBatch, toLowWater, toRecent } from '../../../src/mesh/limits/batch-size.ts';

describe('a batch', () => {
  it('is what the node spent in the last moment', () => {
    expect(toBatch({ recent: 40.9, moments: 60, left: 4_000, liveNodes: 4 })).toBe(40);
    expect(toBatch({ recent: 0.5, moments: 60, left: 100, liveNodes: 4 })).toBe(0);
  });

  it('is never more than a part of what is left, a smaller one the more nodes there are', () => {
    expect(toBatch({ recent: 500, moments: 60, left: 100, liveNodes: 1 })).toBe(50);
    expect(toBatch({ recent: 500, moments: 60, left: 100, liveNodes: 4 })).toBe(25);
    expect(toBatch({ recent: 500, moments: 60, left: 100, liveNodes: 50 })).toBe(12);
    expect(toBatch({ recent: 500, moments: 60, left: 3, liveNodes: 4 })).toBe(0);
    expect(toBatch({ recent: 500, moments: 60, left: -7, liveNodes: 4 })).toBe(0);
  });

  it('is what several moments take where points are plenty, the window being that long', () => {
    expect(toBatch({ recent: 5, moments: 60, left: 1_000_000, liveNodes: 4 })).toBe(40);
    expect(toBatch({ recent: 0.5, moments: 60, left: 1_000_000, liveNodes: 4 })).toBe(4);
    expect(toBatch({ recent: 5, moments: 2, left: 1_000_000, liveNodes: 4 })).toBe(10);
    expect(toBatch({ recent: 5, moments: 0.1, left: 1_000_000, liveNodes: 4 })).toBe(5);
    // A thirty-second of a quarter.
    expect(toBatch({ recent: 5, moments: 60, left: 2_560, liveNodes: 4 })).toBe(20);
  });

  it('has a moment of a second, or a quarter of a short window', () => {
    expect(horizonMs(60_000)).toBe(1_000);
    expect(horizonMs(1_000)).toBe(250);
  });

  it('settles at what a steady rate comes to in a moment', () => {
    // 100 points a second, drawn 20 times a second.
    let recent = 0;
    for (let i = 0; i < 200; i++) recent = toRecent(recent, 5, 50, 1_000);
    expect(recent).toBeCloseTo(100);
    // And every six seconds.
    for (let i = 0; i < 20; i++) recent = toRecent(recent, 600, 6_000, 1_000);
    expect(recent).toBeCloseTo(100);
    expect(toRecent(recent, 0, 10_000, 1_000)).toBeLessThan(0.01);
    expect(toRecent(recent, 3, -5, 1_000)).toBeCloseTo(103);
  });

  it('is drawn again at a quarter, a small one only when it is needed', () => {
    expect(toLowWater(100)).toBe(25);
    expect(toLowWater(3)).toBe(0);
  });
});
