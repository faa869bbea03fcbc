/** The windows of keys in Redis: rate-limiter-flexible's store, with a script that grants a part and takes nothing in vain. */
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { BackplaneError } from '../backplane/backplane-error.ts';
import { assertNamespace } from '../backplane/redis/keys.ts';
import type { RedisBackplane } from '../backplane/redis/redis-backplane.ts';
import { toBackplaneError } from '../backplane/redis/redis-error.ts';
import type { Ask, Grant, LimitWindow, LimitWindows } from './limit-windows.ts';

/** What limits need of the backplane. */
export type LimitsBackplane = Pick<RedisBackplane, 'client' | 'status' | 'onStatus'>;

/** Keys of a lane have one hash tag and so one master; enough lanes to spread over a cluster's masters. */
const CLUSTER_LANES = 64;

export function limitLanes(isCluster: boolean): number {
  return isCluster ? CLUSTER_LANES : 1;
}

/**
 * KEYS: the count. ARGV: wanted, least, limit, length of the window in ms. Returns what the
 * count would be with all that was wanted (see `toGrant`), and the rest of the window.
 *
 * Nobody's clock but the server's ends a window; where that was set back, an end further
 * away than a window is long is drawn in.
 */
const DRAW = `#!lua
local wanted, least = tonumber(ARGV[1]), tonumber(ARGV[2])
local limit, windowMs = tonumber(ARGV[3]), tonumber(ARGV[4])
local stored = redis.call('GET', KEYS[1])
local spent, ttl = tonumber(stored or 0), windowMs
if stored then
  ttl = redis.call('PTTL', KEYS[1])
  if ttl < 0 or ttl > windowMs then
    redis.call('PEXPIRE', KEYS[1], windowMs)
    ttl = windowMs
  end
end
local granted = math.min(wanted, limit - spent)
if granted >= least then
  local total = string.format('%.0f', granted)
  if stored then redis.call('INCRBY', KEYS[1], total)
  else redis.call('SET', KEYS[1], total, 'PX', windowMs) end
end
return { spent + wanted, ttl }
`;

/** What the script granted, worked out from the count it returned as the script does. */
function toGrant({ wanted, least, limit }: Ask, counted: number, endsInMs: number): Grant {
  const before = counted - wanted;
  const left = Math.min(wanted, limit - before);
  const granted = left >= least ? left : 0;
  return { granted, spent: before + granted, endsInMs };
}

export class RedisWindows implements LimitWindows {
  readonly counter = 'Redis';
  readonly lanes: number;
  readonly #backplane: LimitsBackplane;
  readonly #namespace: string;
  readonly #store: RateLimiterRedis;

  /** The backplane stays its owner's. */
  constructor(backplane: LimitsBackplane, namespace: string) {
    assertNamespace(namespace);
    this.lanes = limitLanes(backplane.client.isCluster);
    this.#backplane = backplane;
    this.#namespace = namespace;
    this.#store = new RateLimiterRedis({
      storeClient: backplane.client,
      keyPrefix: '',
      points: 0,
      duration: 0,
      customIncrTtlLuaScript: DRAW,
    });
  }

  get isConnected(): boolean {
    return this.#backplane.status().connected;
  }

  onConnection(listener: () => void): () => void {
    return this.#backplane.onStatus(listener);
  }

  /**
   * Rejects with a `BackplaneError`; what was asked may have happened then, unless it was `away`.
   *
   * The library hands its script four numbers: the points, the duration of this call, and the
   * store's own points and duration. The script takes the second for `least` and the fourth
   * for milliseconds, so windows may be shorter than the library's second. All four are read
   * before the first wait, and may be others for the next call.
   */
  async ask({ lane, limiter, key, windowMs }: LimitWindow, ask: Ask): Promise<Grant> {
    const { wanted, least, limit } = ask;
    const name = `${this.#namespace}:{limit:${lane}}:${limiter}:${key}`;
    this.#store.points = limit;
    this.#store.duration = windowMs;
    const { consumedPoints, msBeforeNext } = await this.#store
      .consume(name, wanted, { customDuration: least })
      .catch((result: unknown) => {
        // Past the limit is an answer, and the library rejects with it.
        if (result instanceof Error) throw this.#toError(result);
        return result as RateLimiterRes;
      });
    if (!Number.isFinite(consumedPoints) || !Number.isFinite(msBeforeNext)) {
      throw new TypeError(`no count: ${consumedPoints}, ${msBeforeNext}`);
    }
    return toGrant(ask, consumedPoints, msBeforeNext);
  }

  #toError(error: Error): BackplaneError {
    const { client } = this.#backplane;
    const { reason } = this.#backplane.status();
    return toBackplaneError(error, { isGone: client.status === 'end', reason });
  }
}
