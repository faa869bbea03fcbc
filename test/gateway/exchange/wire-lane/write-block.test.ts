import { describe, expect, it } from 'vitest';
import {
  canExtend,
  closeRun,
  MAX_COPIED_BYTES,
  openRun,
  type WriteBlock,
} from '../../../../src/gateway/exchange/wire-lane/write-block.ts';

/** A run of so many bytes, which stays open. */
function write(length: number): { block: WriteBlock; at: number } {
  const block = openRun(length);
  const at = block.used;
  block.used += length;
  return { block, at };
}

/** Leaves behind what others have begun in this one. */
function takeFreshBlock(): void {
  let run = write(MAX_COPIED_BYTES);
  while (run.at !== 0) run = write(MAX_COPIED_BYTES);
  closeRun(run.block);
}

describe('blocks for what is written', () => {
  it('have runs one behind the other, and begin anew when all are closed', () => {
    takeFreshBlock();
    const first = write(1000);
    const second = write(500);
    expect([second.block, second.at]).toEqual([first.block, first.at + 1000]);
    closeRun(first.block);
    const third = write(10);
    expect([third.block, third.at]).toEqual([first.block, second.at + 500]);
    closeRun(second.block);
    closeRun(third.block);
    const fourth = write(10);
    expect([fourth.block, fourth.at]).toEqual([first.block, 0]);
    closeRun(fourth.block);
  });

  it('let the last run of them go on as long as there is room', () => {
    takeFreshBlock();
    const { block, at } = write(100);
    expect(canExtend(block, at + 100, 100)).toBe(true);
    expect(canExtend(block, at + 100, block.bytes.length)).toBe(false);
    const other = write(1);
    expect(canExtend(block, at + 100, 100)).toBe(false);
    expect(canExtend(other.block, other.at + 1, 100)).toBe(true);
    closeRun(block);
    closeRun(other.block);
  });

  it('are taken in turns when one is full, and never while a run of theirs is open', () => {
    const runs = Array.from({ length: 200 }, () => write(MAX_COPIED_BYTES - 1));
    const taken = new Map<WriteBlock, number>();
    for (const { block, at } of runs) {
      expect(at + MAX_COPIED_BYTES - 1).toBeLessThanOrEqual(block.bytes.length);
      // No two runs share a byte.
      expect(at).toBeGreaterThanOrEqual(taken.get(block) ?? 0);
      taken.set(block, at + MAX_COPIED_BYTES - 1);
    }
    for (const { block } of runs) closeRun(block);
    const again = Array.from({ length: 20 }, () => write(MAX_COPIED_BYTES - 1));
    expect(again.filter(({ block }) => taken.has(block)).length).toBe(20);
    for (const { block } of again) closeRun(block);
  });
});
