/** When each token was last used, on any node: told at most once a minute a token. */
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import { BackplaneError } from '../../mesh/backplane/backplane-error.ts';
import type { Clock } from '../../plugins/sdk/plugin-context.ts';

const TELL_EVERY_MS = 60_000;
/** For how long other nodes are told of it. */
const TOLD_FOR_MS = 90 * 24 * 3_600_000;

export interface TokenUses {
  /** Milliseconds since 1970 by id, as far as this node knows without asking. */
  readonly known: ReadonlyMap<string, number>;
  /** Takes over what was known before, where it is newer. */
  hear(uses: Iterable<readonly [id: string, atMs: number]>): void;
  /** Waits for nothing. */
  note(id: string): void;
  /** Of tokens that are no more. */
  forget(isKept: (id: string) => boolean): void;
  /** With what other nodes tell, or in an outage what is known here. */
  read(): Promise<ReadonlyMap<string, number>>;
}

export function createTokenUses(options: {
  readonly backplane: Backplane;
  readonly space: string;
  readonly clock: Clock;
  /** Something is to be kept; called as seldom as others are told. */
  readonly onTold: () => void;
}): TokenUses {
  const { backplane, space, clock, onTold } = options;
  const known = new Map<string, number>();
  /** Monotonic. */
  const toldAtMs = new Map<string, number>();

  function hear(uses: Iterable<readonly [string, number]>): void {
    for (const [id, atMs] of uses) {
      if (atMs > (known.get(id) ?? 0)) known.set(id, atMs);
    }
  }

  return {
    known,
    hear,
    note(id) {
      const nowMs = clock.now();
      known.set(id, nowMs);
      const now = clock.monotonic();
      if (now - (toldAtMs.get(id) ?? -Infinity) < TELL_EVERY_MS) return;
      toldAtMs.set(id, now);
      // In an outage nobody hears of it; this node shows it, and tells the next one.
      backplane.report(space, id, nowMs, TOLD_FOR_MS).catch(() => undefined);
      onTold();
    },
    forget(isKept) {
      for (const id of known.keys()) {
        if (isKept(id)) continue;
        known.delete(id);
        toldAtMs.delete(id);
      }
    },
    async read() {
      try {
        for (const { id, value } of await backplane.reports(space)) {
          if (typeof value === 'number') hear([[id, value]]);
        }
      } catch (error) {
        if (!(error instanceof BackplaneError)) throw error;
      }
      return known;
    },
  };
}
