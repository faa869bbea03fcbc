/** A limiter that asks who counts for every request. */
import type { Limiter, LimiterOptions, LimitVerdict } from '../../plugins/sdk/plugin-context.ts';
import type { FallbackLimiter } from './fallback-limiter.ts';
import type { Grant } from './limit-windows.ts';
import type { SharedStore } from './shared-store.ts';

export function createExactLimiter(
  { points, windowMs }: LimiterOptions,
  id: string,
  store: SharedStore,
  fallback: FallbackLimiter,
): Limiter {
  const peek = (key: string, cost = 1): LimitVerdict | Promise<LimitVerdict> => {
    const lane = store.laneOf(key);
    if (!store.isUp(lane)) return fallback.peek(key, cost);
    return peekShared(store, lane, { id, key, points, windowMs, cost }, fallback);
  };
  return {
    peek,
    consume(key, cost = 1) {
      if (cost === 0) return peek(key, 0);
      const lane = store.laneOf(key);
      if (!store.isUp(lane)) return fallback.consume(key, cost);
      const ask = { wanted: cost, least: cost, limit: points };
      return new Promise((resolve) => {
        store.ask({ lane, limiter: id, key, windowMs }, ask, {
          onGrant: (grant) => resolve(toVerdict(grant, points, cost)),
          onFailure: () => resolve(fallback.consume(key, cost)),
        });
      });
    },
  };
}

function toVerdict(
  { granted, spent, endsInMs }: Grant,
  points: number,
  cost: number,
): LimitVerdict {
  return {
    allowed: granted === cost,
    remaining: Math.max(0, points - spent),
    resetMs: endsInMs,
  };
}

interface SharedPeek {
  readonly id: string;
  readonly key: string;
  readonly points: number;
  readonly windowMs: number;
  readonly cost: number;
}

/** What the windows would say, for those who do not know by themselves. */
export function peekShared(
  store: SharedStore,
  lane: number,
  { id, key, points, windowMs, cost }: SharedPeek,
  fallback: FallbackLimiter,
): Promise<LimitVerdict> {
  const ask = { wanted: 0, least: 1, limit: points };
  return new Promise((resolve) => {
    store.ask({ lane, limiter: id, key, windowMs }, ask, {
      onGrant(grant) {
        const allowed = grant.spent + cost <= points;
        const remaining = Math.max(0, points - grant.spent - (allowed ? cost : 0));
        resolve({ allowed, remaining, resetMs: grant.endsInMs });
      },
      onFailure: () => resolve(fallback.peek(key, cost)),
    });
  });
}
