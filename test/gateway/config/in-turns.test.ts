import { describe, expect, it } from 'vitest';
import { inTurns } from '../../../src/gateway/config/in-turns.ts';

function* count(to: number): Generator<number, string> {
  for (let i = 1; i <= to; i++) yield i;
  return 'done';
}

describe('work in turns', () => {
  it('gives each step, in order, and the result', async () => {
    const steps: number[] = [];
    expect(await inTurns(count(3), (step) => steps.push(step))).toBe('done');
    expect(steps).toEqual([1, 2, 3]);
  });

  it('lets others run in between, however long it is', async () => {
    let turns = 0;
    let isOver = false;
    const other = (): void => {
      if (isOver) return;
      turns++;
      setImmediate(other);
    };
    setImmediate(other);
    await inTurns(count(1_000));
    isOver = true;
    expect(turns).toBeGreaterThan(5);
  });

  it('fails where a step does', async () => {
    function* failing(): Generator<undefined, void> {
      yield;
      throw new Error('no more');
    }
    await expect(inTurns(failing())).rejects.toThrow('no more');
  });
});
