import { describe, expect, it } from 'vitest';
import {
  common,
  freeSlab,
  give,
  giveBack,
  keep,
  lend,
  takeSlab,
} from '../../../src/mesh/transport/read-memory.ts';

describe('memory for reads', () => {
  it('is copied where it is lent and kept', () => {
    common.write('lent');
    const bytes = lend(common, 4);
    const kept = keep(bytes);
    common.write('more');
    expect([bytes.toString(), kept.toString()]).toEqual(['more', 'lent']);
  });

  it('is kept as it is where it was given away', () => {
    const slab = takeSlab();
    const bytes = give(slab, 40_000);
    expect(keep(bytes)).toBe(bytes);
    expect(keep(bytes.subarray(10)).buffer).toBe(slab.buffer);
  });

  it('is not copied where it comes from elsewhere', () => {
    lend(common, 4);
    const own = Buffer.from('own');
    expect(keep(own)).toBe(own);
  });

  it('is taken again by the next one when it was given back', () => {
    const slab = takeSlab();
    const bytes = give(slab, 40_000);
    expect(takeSlab()).not.toBe(slab);
    giveBack(bytes);
    expect(takeSlab()).toBe(slab);
    expect(takeSlab()).not.toBe(slab);
  });

  it('is given back once only', () => {
    const slab = takeSlab();
    const bytes = give(slab, 40_000);
    giveBack(bytes);
    giveBack(bytes);
    expect(takeSlab()).toBe(slab);
    expect(takeSlab()).not.toBe(slab);
  });

  it('is not given back by somebody who has only a part of it', () => {
    const slab = takeSlab();
    const bytes = give(slab, 40_000);
    giveBack(bytes.subarray(0, 20_000));
    giveBack(bytes.subarray(20_000));
    expect(takeSlab()).not.toBe(slab);
  });

  it('is not given back where it is no slab', () => {
    giveBack(Buffer.alloc(10));
    giveBack(lend(common, 10));
    expect(takeSlab().buffer).not.toBe(common.buffer);
  });

  it('is held for later up to a limit', () => {
    const slabs = Array.from({ length: 100 }, () => takeSlab());
    for (const slab of slabs) freeSlab(slab);
    const again = Array.from({ length: 100 }, () => takeSlab());
    expect(again.filter((slab) => slabs.includes(slab))).toHaveLength(64);
  });
});
