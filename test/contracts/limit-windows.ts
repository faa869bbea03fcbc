/** The contract of LimitWindows: what holds wherever windows are counted. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ask, LimitWindow, LimitWindows } from '../../src/mesh/limits/limit-windows.ts';

export interface LimitWindowsFixture {
  readonly windows: LimitWindows;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const WINDOW_MS = 60_000;
/** A loaded machine's own time. */
const SLACK_MS = 15_000;

function newWindow(more: Partial<LimitWindow> = {}): LimitWindow {
  return { lane: 0, limiter: randomUUID(), key: 'a', windowMs: WINDOW_MS, ...more };
}

function of(limit: number, wanted: number, least = wanted): Ask {
  return { wanted, least: Math.max(1, least), limit };
}

export function describeLimitWindows(name: string, open: () => Promise<LimitWindowsFixture>): void {
  describe(`windows contract: ${name}`, () => {
    let fixture: LimitWindowsFixture;
    let windows: LimitWindows;
    beforeAll(async () => {
      fixture = await open();
      ({ windows } = fixture);
    }, 60_000);
    afterAll(() => fixture.close());

    it('grant what is wanted, then what is left, then nothing', async () => {
      const window = newWindow();
      expect(await windows.ask(window, of(10, 6))).toMatchObject({ granted: 6, spent: 6 });
      expect(await windows.ask(window, of(10, 6, 1))).toMatchObject({ granted: 4, spent: 10 });
      expect(await windows.ask(window, of(10, 1))).toMatchObject({ granted: 0, spent: 10 });
    });

    it('take nothing where there is less than the least', async () => {
      const window = newWindow();
      await windows.ask(window, of(10, 6));
      expect(await windows.ask(window, of(10, 8, 5))).toMatchObject({ granted: 0, spent: 6 });
      expect(await windows.ask(window, of(10, 8, 4))).toMatchObject({ granted: 4, spent: 10 });
    });

    it('look without spending, and open no window for a look or for a refusal', async () => {
      const window = newWindow();
      const looked = await windows.ask(window, of(5, 0));
      expect(looked).toMatchObject({ granted: 0, spent: 0, endsInMs: WINDOW_MS });
      expect(await windows.ask(window, of(5, 6))).toMatchObject({ granted: 0, spent: 0 });
      await fixture.pass(20_000);
      const first = await windows.ask(window, of(5, 5));
      expect(first).toMatchObject({ granted: 5, spent: 5, endsInMs: WINDOW_MS });
      expect(await windows.ask(window, of(5, 0))).toMatchObject({ granted: 0, spent: 5 });
    });

    it('end a window so long after its first point, and begin with nothing spent', async () => {
      const window = newWindow();
      await windows.ask(window, of(5, 3));
      await fixture.pass(20_000);
      const { endsInMs } = await windows.ask(window, of(5, 1));
      expect(endsInMs).toBeLessThanOrEqual(WINDOW_MS - 20_000);
      expect(endsInMs).toBeGreaterThan(WINDOW_MS - 20_000 - SLACK_MS);
      await fixture.pass(40_000);
      const anew = await windows.ask(window, of(5, 2));
      expect(anew).toMatchObject({ granted: 2, spent: 2, endsInMs: WINDOW_MS });
    });

    it('go by the limit of each ask, also below what is spent', async () => {
      const window = newWindow();
      await windows.ask(window, of(5, 5));
      expect(await windows.ask(window, of(2, 1))).toMatchObject({ granted: 0, spent: 5 });
      expect(await windows.ask(window, of(7, 9, 1))).toMatchObject({ granted: 2, spent: 7 });
    });

    it('count limiters and keys apart', async () => {
      const window = newWindow();
      for (const other of [window, { ...window, key: 'b' }, { ...window, limiter: randomUUID() }]) {
        expect(await windows.ask(other, of(1, 1))).toMatchObject({ granted: 1, spent: 1 });
      }
    });

    it('give out every point once when many ask before any is answered', async () => {
      const window = newWindow();
      const grants = await Promise.all(
        Array.from({ length: 50 }, () => windows.ask(window, of(20, 3, 1))),
      );
      expect(grants.reduce((sum, { granted }) => sum + granted, 0)).toBe(20);
      expect(grants.map(({ spent }) => spent).slice(0, 7)).toEqual([3, 6, 9, 12, 15, 18, 20]);
    });
  });
}
