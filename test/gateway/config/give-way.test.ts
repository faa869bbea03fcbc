import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const os = vi.hoisted(() => ({ getPriority: vi.fn(() => 0), setPriority: vi.fn() }));
vi.mock('node:os', async (original) => ({ ...(await original<object>()), ...os }));

describe('a thread with much to do', () => {
  let nowMs = 0;
  const sleep = vi.spyOn(Atomics, 'wait').mockImplementation((_, __, ___, ms) => {
    nowMs += ms!;
    return 'timed-out';
  });
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);

  beforeEach(() => {
    nowMs = 1000;
    vi.resetModules();
    vi.clearAllMocks();
  });
  afterEach(() => vi.clearAllMocks());

  const load = () => import('../../../src/gateway/config/give-way.ts');

  /** Items of a tenth of a millisecond. */
  function work(items: number, breathe: (at: number) => void): void {
    for (let at = 0; at < items; at++) {
      breathe(at);
      nowMs += 0.1;
    }
  }

  it('does not sleep where it gives way to nobody', async () => {
    const { breathe } = await load();
    work(10_000, breathe);
    expect(sleep).not.toHaveBeenCalled();
  });

  it('sleeps for a millisecond after each few that it worked, once it gives way', async () => {
    const { breathe, giveWay } = await load();
    giveWay();
    expect(os.setPriority).toHaveBeenCalledExactlyOnceWith(0, 5);
    work(3200, breathe);
    // It looks at the clock every 32 items, which are more than it works for.
    expect(sleep).toHaveBeenCalledTimes(100);
    expect(sleep.mock.calls.every(([, , , ms]) => ms === 1)).toBe(true);
  });

  it('goes on where little has been done since', async () => {
    const { breathe, giveWay } = await load();
    giveWay();
    for (let calls = 0; calls < 1000; calls++) breathe(0);
    expect(sleep).toHaveBeenCalledTimes(1);
  });

  it('sleeps where the system forbids it to be nicer', async () => {
    os.setPriority.mockImplementationOnce(() => {
      throw new Error('EACCES');
    });
    const { breathe, giveWay } = await load();
    giveWay();
    breathe(0);
    expect(sleep).toHaveBeenCalledTimes(1);
  });
});
