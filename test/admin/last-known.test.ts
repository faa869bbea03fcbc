import { describe, expect, it } from 'vitest';
import { createLastKnown } from '../../src/admin/views/last-known.ts';
import { BackplaneError } from '../../src/mesh/backplane/backplane-error.ts';

const AWAY = new BackplaneError('unavailable', 'no answer');

describe('what was last known', () => {
  it('is read anew each time, and told with its age while it cannot be', async () => {
    let nowMs = 1_000;
    let answer: string | Error = 'a';
    const known = createLastKnown(
      async () => {
        if (answer instanceof Error) throw answer;
        return answer;
      },
      () => nowMs,
    );
    expect(await known.get()).toEqual({ value: 'a', ageMs: 0 });
    nowMs += 500;
    answer = 'b';
    expect(await known.get()).toEqual({ value: 'b', ageMs: 0 });
    nowMs += 4_000;
    answer = AWAY;
    expect(await known.get()).toEqual({ value: 'b', ageMs: 4_000 });
    nowMs += 1_000;
    expect(await known.get()).toEqual({ value: 'b', ageMs: 5_000 });
    answer = 'c';
    expect(await known.get()).toEqual({ value: 'c', ageMs: 0 });
  });

  it('is read once for all who ask at the same time', async () => {
    let reads = 0;
    const known = createLastKnown(
      async () => ++reads,
      () => 0,
    );
    const [a, b] = await Promise.all([known.get(), known.get()]);
    expect([a.value, b.value, (await known.get()).value]).toEqual([1, 1, 2]);
  });

  it('hides no fault but that of the backplane', async () => {
    let fault: Error | undefined = AWAY;
    const known = createLastKnown(
      async () => {
        if (fault !== undefined) throw fault;
        return 1;
      },
      () => 0,
    );
    await expect(known.get()).rejects.toBe(AWAY);
    fault = undefined;
    await known.get();
    fault = new TypeError('a bug');
    await expect(known.get()).rejects.toBe(fault);
  });
});
