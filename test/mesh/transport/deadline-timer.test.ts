import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeadlineTimer } from '../../../src/mesh/transport/deadline-timer.ts';

/** An owner whose deadline the test moves. */
class Owner extends EventEmitter {
  deadline = Infinity;

  deadlineMs(): number {
    return this.deadline;
  }

  onDeadline(): void {
    this.deadline = Infinity;
    this.emit('deadline', performance.now());
  }
}

describe('DeadlineTimer', () => {
  const timers: DeadlineTimer[] = [];

  afterEach(() => {
    for (const timer of timers.splice(0)) timer.stop();
    vi.restoreAllMocks();
  });

  function create(): { owner: Owner; timer: DeadlineTimer } {
    const owner = new Owner();
    const timer = new DeadlineTimer(owner);
    timers.push(timer);
    return { owner, timer };
  }

  it('fires not before the deadline', async () => {
    const { owner, timer } = create();
    const fired = once(owner, 'deadline');
    const deadline = performance.now() + 30;
    owner.deadline = deadline;
    timer.watch();
    const [firedAt] = (await fired) as [number];
    expect(firedAt).toBeGreaterThanOrEqual(deadline);
  });

  it('sets no timer anew for a deadline that moves later, and keeps to the last', async () => {
    const { owner, timer } = create();
    const fired = once(owner, 'deadline');
    const set = vi.spyOn(globalThis, 'setTimeout');
    const start = performance.now();
    for (let i = 0; i <= 50; i++) {
      owner.deadline = start + 20 + i;
      timer.watch();
    }
    expect(set).toHaveBeenCalledTimes(1);
    const [firedAt] = (await fired) as [number];
    expect(firedAt).toBeGreaterThanOrEqual(start + 70);
  });

  it('follows a deadline that moves earlier', async () => {
    const { owner, timer } = create();
    const fired = once(owner, 'deadline');
    owner.deadline = performance.now() + 3_600_000;
    timer.watch();
    const earlier = performance.now() + 20;
    owner.deadline = earlier;
    timer.watch();
    const [firedAt] = (await fired) as [number];
    expect(firedAt).toBeGreaterThanOrEqual(earlier);
  });

  it('does nothing after stop', async () => {
    const { owner, timer } = create();
    let fired = 0;
    owner.on('deadline', () => fired++);
    owner.deadline = performance.now() + 5;
    timer.watch();
    timer.stop();
    timer.watch();
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect(fired).toBe(0);
  });
});
