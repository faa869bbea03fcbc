import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstEndpoints } from '../../../src/mesh/service/first-endpoints.ts';
import type { Service } from '../../../src/mesh/service/service.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function service(name: string, ready: Promise<void>): Service {
  return { name, ready } as Service;
}

const never = new Promise<void>(() => undefined);

describe('the wait for the first endpoints', () => {
  it('is over as soon as every service has spoken', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = firstEndpoints([service('a', Promise.resolve()), service('b', promise)]);
    resolve();
    expect(await waiting).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes 3 s at most, and names those that are silent', async () => {
    let silent: string[] | undefined;
    const waiting = firstEndpoints([service('a', Promise.resolve()), service('b', never)]);
    void waiting.then((names) => (silent = names));
    await vi.advanceTimersByTimeAsync(2999);
    expect(silent).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(silent).toEqual(['b']);
  });
});
