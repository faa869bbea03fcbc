/** Slows those down who try tokens: by the address they come from, longer each time. */
import { hash } from 'node:crypto';
import { parseIpAddress } from '../../plugins/sdk/ip-address.ts';

export interface AttemptGuard {
  /** Milliseconds until a token of this source is looked at again; 0: now. */
  waitMs(source: string): number;
  /** The source gave a token that is none. */
  fail(source: string, text: string): void;
  /** The source gave a good one. */
  pass(source: string, tokenId: string): void;
  /** It gave that one before: then it is no guess, and goes through whatever else comes from there. */
  isProven(source: string, tokenId: string): boolean;
}

interface Attempts {
  points: number;
  /** Digests of the last bad tokens, as far as they fit. */
  readonly bad: string[];
  atMs: number;
  blockedUntilMs: number;
}

/**
 * Ten bad tokens are free, or a hundred times the same: a script that was left with a revoked one
 * guesses at nothing, and must not shut out whoever else is behind its address.
 */
const NEW_POINTS = 10;
const REPEATED_POINTS = 1;
const FREE_POINTS = 100;

const FIRST_BLOCK_MS = 1_000;
const MAX_BLOCK_MS = 60_000;
/** Then it starts anew. */
const FORGET_AFTER_MS = 15 * 60_000;

const MAX_REMEMBERED_BAD = 16;
/** The longest quiet are forgotten first. */
const MAX_SOURCES = 10_000;
const MAX_PROVEN = 1_000;

export function createAttemptGuard(monotonic: () => number): AttemptGuard {
  const sources = new Map<string, Attempts>();
  const proven = new Set<string>();

  function attemptsOf(source: string): Attempts {
    const known = sources.get(source);
    sources.delete(source);
    const isFresh = known !== undefined && monotonic() - known.atMs < FORGET_AFTER_MS;
    const attempts = isFresh ? known : { points: 0, bad: [], atMs: 0, blockedUntilMs: 0 };
    sources.set(source, attempts);
    dropOldest(sources, MAX_SOURCES);
    return attempts;
  }

  return {
    waitMs(source) {
      const attempts = sources.get(source);
      return attempts === undefined ? 0 : Math.max(0, attempts.blockedUntilMs - monotonic());
    },
    fail(source, text) {
      const now = monotonic();
      const attempts = attemptsOf(source);
      const digest = hash('sha256', text, 'base64url');
      const isRepeated = attempts.bad.includes(digest);
      if (!isRepeated) {
        attempts.bad.push(digest);
        if (attempts.bad.length > MAX_REMEMBERED_BAD) attempts.bad.shift();
      }
      attempts.atMs = now;
      // The same one over and over never makes a wait longer than the first.
      attempts.points = isRepeated
        ? Math.max(attempts.points, Math.min(attempts.points + REPEATED_POINTS, FREE_POINTS))
        : attempts.points + NEW_POINTS;
      attempts.blockedUntilMs = now + toBlockMs(isRepeated, attempts.points);
    },
    pass(source, tokenId) {
      const key = `${source} ${tokenId}`;
      proven.delete(key);
      proven.add(key);
      dropOldest(proven, MAX_PROVEN);
    },
    isProven: (source, tokenId) => proven.has(`${source} ${tokenId}`),
  };
}

/** 1 s at the tenth, then twice as long each time, up to a minute. */
function toBlockMs(isRepeated: boolean, points: number): number {
  if (points < FREE_POINTS) return 0;
  const doublings = isRepeated ? 0 : Math.floor((points - FREE_POINTS) / NEW_POINTS);
  return Math.min(MAX_BLOCK_MS, FIRST_BLOCK_MS * 2 ** Math.min(doublings, 30));
}

function dropOldest(entries: Map<string, unknown> | Set<string>, max: number): void {
  if (entries.size <= max) return;
  const [oldest] = entries.keys();
  entries.delete(oldest!);
}

/**
 * IPv6 by its /64, the least that a single customer is given (RFC 6177); IPv4 as it is, also
 * where it came mapped into IPv6.
 */
export function toSource(address: string | undefined): string {
  if (address === undefined) return '';
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return address;
  if (typeof parsed === 'number')
    return [24, 16, 8, 0].map((bits) => (parsed >>> bits) & 255).join('.');
  return `${parsed
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}
