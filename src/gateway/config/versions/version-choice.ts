/** Which version a node tries next, and what it falls back to where one is refused. */
import type { KnownVersion } from './version-store.ts';

export interface Attempt {
  /** Undefined: the node's file alone. */
  readonly version: KnownVersion | undefined;
  /** In place of the newest, which was refused. */
  readonly isStopgap: boolean;
}

export interface Refusal {
  readonly version: KnownVersion;
  readonly reason: string;
}

export interface VersionChoice {
  /** What was accepted last, stopgaps too. */
  readonly runs: KnownVersion | undefined;
  /** Of the newest version; undefined where that is what runs. */
  readonly refusal: Refusal | undefined;
  next(): Attempt;
  /** Whether the version is in it: a file may have all of it itself. */
  accepted(isUsed: boolean): void;
  /** True where there is something else to try. */
  refused(reason: string): boolean;
  /** There is a newer one, which goes before every stopgap. */
  moved(): void;
}

/**
 * A version that is refused must keep neither the node from starting nor its file from being
 * applied. So what ran before is tried in its place: what this process ran, or at a start what
 * the process before `kept`, or else nothing of it.
 */
export function createVersionChoice(
  head: () => KnownVersion | undefined,
  kept: () => KnownVersion | undefined,
): VersionChoice {
  let attempt: Attempt = { version: undefined, isStopgap: false };
  let instead: (KnownVersion | undefined)[] = [];
  let runs: KnownVersion | undefined;
  let refusal: Refusal | undefined;
  let hasRun = false;

  return {
    get runs() {
      return runs;
    },
    get refusal() {
      return refusal;
    },
    next() {
      const isStopgap = instead.length > 0;
      attempt = { isStopgap, version: isStopgap ? instead.shift() : head() };
      return attempt;
    },
    accepted(isUsed) {
      runs = isUsed ? attempt.version : undefined;
      hasRun = true;
      if (!attempt.isStopgap || !isUsed) refusal = undefined;
    },
    refused(reason) {
      const { version, isStopgap } = attempt;
      if (isStopgap) return instead.length > 0;
      // It runs: what was refused is the file around it.
      if (version === undefined || isSame(version, runs)) return false;
      refusal = { version, reason };
      instead = hasRun ? [runs] : [kept(), undefined];
      instead = instead.filter(
        (one, index) => !isSame(one, version) && instead.indexOf(one) === index,
      );
      return true;
    },
    moved() {
      instead = [];
    },
  };
}

function isSame(one: KnownVersion | undefined, other: KnownVersion | undefined): boolean {
  return one?.version === other?.version && one?.hash === other?.hash && one !== undefined;
}
