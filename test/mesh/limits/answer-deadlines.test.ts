/** Deadlines of all that waits for Redis. */
import { describe, expect, it } from 'vitest';
import { AnswerDeadlines, type Waiting } from '../../../src/mesh/limits/answer-deadlines.ts';

interface Waiter extends Waiting {
  readonly due: Promise<string>;
}

function createWaiter(name: string, fell: string[]): Waiter {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    isSettled: false,
    due: promise,
    onDue() {
      fell.push(name);
      resolve(name);
    },
  };
}

describe('answer deadlines', () => {
  it('fall due in order, after their time, but not for who is settled', async () => {
    const fell: string[] = [];
    const deadlines = new AnswerDeadlines(30);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => createWaiter(name, fell));
    const startMs = performance.now();
    deadlines.add(a!);
    deadlines.add(b!);
    b!.isSettled = true;
    deadlines.add(c!);
    await c!.due;
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
    expect(fell).toEqual(['a', 'c']);
    expect(a!.isSettled).toBe(true);
    const late = createWaiter('late', fell);
    deadlines.add(late);
    expect(await late.due).toBe('late');
    deadlines.close();
  });

  it('are all due when closed, those too that come later', () => {
    const fell: string[] = [];
    const deadlines = new AnswerDeadlines(60_000);
    deadlines.add(createWaiter('a', fell));
    deadlines.close();
    deadlines.add(createWaiter('b', fell));
    expect(fell).toEqual(['a', 'b']);
  });

  it('keep nothing of those that were settled', () => {
    const fell: string[] = [];
    const deadlines = new AnswerDeadlines(60_000);
    const first = createWaiter('first', fell);
    deadlines.add(first);
    for (let i = 0; i < 5_000; i++) {
      const waiter = createWaiter(String(i), fell);
      deadlines.add(waiter);
      waiter.isSettled = true;
    }
    first.isSettled = true;
    deadlines.add(createWaiter('last', fell));
    deadlines.close();
    expect(fell).toEqual(['last']);
  });
});
