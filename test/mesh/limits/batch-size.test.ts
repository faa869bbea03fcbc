/** How many points are drawn at once. */
import { describe, expect, it } from 'vitest';
import { fade, horizonMs, toBatch, toLowWater } from '../../../src/mesh/limits/batch-size.ts';

describe('a batch', () => {
  it('is what the node spent in the last moment', () => {
    expect(toBatch({ recent: 40.9, left: 10_000, liveNodes: 4 })).toBe(40);
    expect(toBatch({ recent: 0.5, left: 10_000, liveNodes: 4 })).toBe(0);
  });

  it('is never more than a part of what is left, a smaller one the more nodes there are', () => {
    expect(toBatch({ recent: 500, left: 100, liveNodes: 1 })).toBe(50);
    expect(toBatch({ recent: 500, left: 100, liveNodes: 4 })).toBe(25);
    expect(toBatch({ recent: 500, left: 100, liveNodes: 50 })).toBe(12);
    expect(toBatch({ recent: 500, left: 3, liveNodes: 4 })).toBe(0);
    expect(toBatch({ recent: 500, left: -7, liveNodes: 4 })).toBe(0);
  });

  it('has a moment of a second, or a quarter of a short window', () => {
    expect(horizonMs(60_000)).toBe(1_000);
    expect(horizonMs(1_000)).toBe(250);
  });

  it('settles at what a steady rate comes to in a moment', () => {
    // 100 points a second, drawn 20 times a second.
    let recent = 0;
    for (let i = 0; i < 200; i++) recent = fade(recent, 50, 1_000) + 5;
    expect(recent).toBeGreaterThan(97);
    expect(recent).toBeLessThan(107);
    expect(fade(recent, 10_000, 1_000)).toBeLessThan(0.01);
    expect(fade(recent, -5, 1_000)).toBe(recent);
  });

  it('is drawn again at a quarter, a small one only when it is needed', () => {
    expect(toLowWater(100)).toBe(25);
    expect(toLowWater(3)).toBe(0);
  });
});
