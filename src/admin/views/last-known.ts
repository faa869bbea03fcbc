/** What was read of the backplane, kept for the time when it cannot be asked. */
import { BackplaneError } from '../../mesh/backplane/backplane-error.ts';

export interface Known<T> {
  readonly value: T;
  /** 0 where it was read just now. */
  readonly ageMs: number;
}

export interface LastKnown<T> {
  /** Reads anew, once for however many ask meanwhile. Rejects where it cannot and never could. */
  get(): Promise<Known<T>>;
}

export function createLastKnown<T>(read: () => Promise<T>, monotonic: () => number): LastKnown<T> {
  let known: { readonly value: T; readonly atMs: number } | undefined;
  let reading: Promise<Known<T>> | undefined;

  async function readAnew(): Promise<Known<T>> {
    try {
      // Before the question: the answer is no younger than that.
      const atMs = monotonic();
      const value = await read();
      known = { value, atMs };
      return { value, ageMs: 0 };
    } catch (error) {
      if (known === undefined || !(error instanceof BackplaneError)) throw error;
      return { value: known.value, ageMs: monotonic() - known.atMs };
    } finally {
      reading = undefined;
    }
  }

  return { get: () => (reading ??= readAnew()) };
}

/** To a tenth of a second. */
export function toStalenessSeconds(ageMs: number): number {
  return Math.round(ageMs / 100) / 10;
}
