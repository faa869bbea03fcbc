/** What decides while Redis does not: this node's share of the points, everybody, or nobody. */
import type { LimiterOptions, LimitVerdict } from '../../plugins/sdk/plugin-context.ts';
import type { HeldCounters } from './held-limiter.ts';

/** When somebody who was turned away unseen may try again. */
const RETRY_MS = 1_000;

export interface FallbackLimiter {
  consume(key: string, cost: number): LimitVerdict | Promise<LimitVerdict>;
  peek(key: string, cost: number): LimitVerdict | Promise<LimitVerdict>;
  release(): void;
}

/** A node's part of the points: all live nodes together stay within the limit. At least 1. */
function toLocalPoints(points: number, liveNodes: number): number {
  return Math.max(1, Math.floor(points / Math.max(1, liveNodes)));
}

export function createFallbackLimiter(
  { name, points, windowMs, onUnavailable = 'local' }: LimiterOptions,
  local: HeldCounters,
  liveNodes: () => number,
): FallbackLimiter {
  if (onUnavailable !== 'local') {
    const isOpen = onUnavailable === 'open';
    const verdict: LimitVerdict = {
      allowed: isOpen,
      remaining: isOpen ? points : 0,
      resetMs: isOpen ? windowMs : RETRY_MS,
      fallback: onUnavailable,
    };
    return { consume: () => verdict, peek: () => verdict, release() {} };
  }

  let share = toLocalPoints(points, liveNodes());
  let limiter = local.limiter({ name, points: share, windowMs });
  const follow = (): void => {
    const now = toLocalPoints(points, liveNodes());
    if (now === share) return;
    share = now;
    const before = limiter;
    limiter = local.limiter({ name, points: share, windowMs });
    before.release();
  };
  return {
    release: () => limiter.release(),
    // A request dearer than the share takes all of it: one a window gets through.
    consume(key, cost) {
      follow();
      return mark(limiter.consume(key, Math.min(cost, share)));
    },
    peek(key, cost) {
      follow();
      return mark(limiter.peek(key, Math.min(cost, share)));
    },
  };
}

function mark(verdict: LimitVerdict | Promise<LimitVerdict>): LimitVerdict | Promise<LimitVerdict> {
  return verdict instanceof Promise ? verdict.then(markLocal) : markLocal(verdict);
}

function markLocal(verdict: LimitVerdict): LimitVerdict {
  return { ...verdict, fallback: 'local' };
}
