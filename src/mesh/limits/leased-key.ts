/** What a node holds of one key: the points in hand, what it knows of the window, and who waits. */
import type { LimitVerdict } from '../../plugins/sdk/plugin-context.ts';
import { horizonMs, toBatch, toLowWater, toRecent } from './batch-size.ts';
import type { Waiting } from './answer-deadlines.ts';
import type { Ask, Grant } from './limit-windows.ts';

/** A request that waits for points. */
export interface WaitingRequest extends Waiting {
  readonly cost: number;
  readonly points: number;
  resolve(verdict: LimitVerdict): void;
}

export class LeasedKey {
  readonly key: string;
  readonly lane: number;
  readonly windowMs: number;
  /** The earliest that Redis may end the window; leased points are not spent past it. */
  endsAtMs = 0;
  isAsking = false;
  readonly waiting: WaitingRequest[] = [];
  /** Points gone from the window in Redis when it last answered, those in hand included. */
  #spent = 0;
  #hand = 0;
  #lowWater = 0;
  /** Asked for since the last ask, granted or not. */
  #demand = 0;
  #recent = 0;
  #recentAtMs = 0;

  constructor(key: string, lane: number, windowMs: number) {
    this.key = key;
    this.lane = lane;
    this.windowMs = windowMs;
  }

  /** Spends points in hand, or refuses what is certain to be refused; undefined where Redis must be asked. */
  decide(points: number, cost: number, nowMs: number): LimitVerdict | undefined {
    if (this.endsAtMs <= nowMs) return undefined;
    // A window's count only rises, and nothing drawn is returned: what it refuses now it refuses to its end.
    if (this.#spent - this.#hand + cost > points) {
      this.#demand += cost;
      return this.#verdict(false, points, nowMs);
    }
    if (this.#hand < cost) return undefined;
    this.#hand -= cost;
    this.#demand += cost;
    return this.#verdict(true, points, nowMs);
  }

  /** What `decide` would come to if Redis has what it had; undefined where no window is known. */
  peek(points: number, cost: number, nowMs: number): LimitVerdict | undefined {
    if (this.endsAtMs <= nowMs) return undefined;
    const left = points - this.#spent + this.#hand;
    const allowed = cost <= left;
    const remaining = Math.max(0, allowed ? left - cost : left);
    return { allowed, remaining, resetMs: this.endsAtMs - nowMs };
  }

  wantsDrawAhead(points: number): boolean {
    return this.#hand < this.#lowWater && !this.isAsking && this.#spent < points;
  }

  /** In how many milliseconds somebody will have to wait, if requests come as they have since the last ask. */
  lastsMs(nowMs: number): number {
    return ((this.#hand + 1) * (nowMs - this.#recentAtMs)) / this.#demand;
  }

  /** What to ask for: all that waits, or a batch. Undefined where nobody waits and a batch would be nothing. */
  toAsk(points: number, liveNodes: number, nowMs: number): Ask | undefined {
    if (this.endsAtMs <= nowMs) this.#forget();
    const horizon = horizonMs(this.windowMs);
    this.#recent = toRecent(this.#recent, this.#demand, nowMs - this.#recentAtMs, horizon);
    this.#recentAtMs = nowMs;
    this.#demand = 0;
    const left = Math.max(0, points - this.#spent);
    const moments = (this.endsAtMs > 0 ? this.endsAtMs - nowMs : this.windowMs) / horizon;
    const batch = toBatch({ recent: this.#recent, moments, left, liveNodes });
    const [first] = this.waiting;
    if (first === undefined) {
      return batch === 0 ? undefined : { wanted: batch, least: 1, limit: points };
    }
    const least = Math.max(1, first.cost - this.#hand);
    const needed = this.waiting.reduce((sum, { cost }) => sum + cost, -this.#hand);
    return { wanted: Math.max(least, needed, batch), least, limit: points };
  }

  /** Takes in an answer to an ask that was sent at `sentAtMs`. True where it is of another window. */
  take({ granted, spent, endsInMs }: Grant, sentAtMs: number): boolean {
    // Redis counted down from after the sending: it ends no earlier than this.
    const endsAtMs = sentAtMs + endsInMs;
    const isOther = spent - granted < this.#spent || endsAtMs > this.endsAtMs + this.windowMs / 2;
    if (isOther) this.#hand = 0;
    this.endsAtMs = isOther ? endsAtMs : Math.max(this.endsAtMs, endsAtMs);
    this.#spent = spent;
    this.#hand += granted;
    this.#lowWater = toLowWater(granted);
    return isOther;
  }

  #forget(): void {
    this.endsAtMs = 0;
    this.#spent = 0;
    this.#hand = 0;
    this.#lowWater = 0;
  }

  #verdict(allowed: boolean, points: number, nowMs: number): LimitVerdict {
    const remaining = Math.max(0, points - this.#spent + this.#hand);
    return { allowed, remaining, resetMs: this.endsAtMs - nowMs };
  }
}
