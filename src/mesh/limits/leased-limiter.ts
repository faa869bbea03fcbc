/** A limiter that draws points from Redis in batches and spends them in memory. */
import type { Limiter, LimiterOptions, LimitVerdict } from '../../plugins/sdk/plugin-context.ts';
import { peekShared } from './exact-limiter.ts';
import type { FallbackLimiter } from './fallback-limiter.ts';
import { KeyWindows } from './key-windows.ts';
import { LeasedKey, type WaitingRequest } from './leased-key.ts';
import { GATHER_MS, type AskHandler, type SharedStore } from './shared-store.ts';
import type { SweepRound } from './sweep-round.ts';

export interface LeasesEnvironment {
  readonly store: SharedStore;
  readonly round: SweepRound;
  readonly monotonic: () => number;
  readonly liveNodes: () => number;
  readonly maxKeys: number;
}

/** The points that this node has drawn for one name and window, whichever limiter spends them. */
export class Leases {
  readonly #id: string;
  readonly #windowMs: number;
  readonly #environment: LeasesEnvironment;
  readonly windows: KeyWindows;
  readonly #keys = new Map<string, LeasedKey>();

  constructor(id: string, windowMs: number, environment: LeasesEnvironment) {
    this.#id = id;
    this.#windowMs = windowMs;
    this.#environment = environment;
    this.windows = new KeyWindows(windowMs, environment.maxKeys, (key) => this.#keys.delete(key));
  }

  limiter({ points }: LimiterOptions, fallback: FallbackLimiter): Limiter {
    const { store, monotonic } = this.#environment;
    return {
      consume: (key, cost = 1) => {
        const nowMs = monotonic();
        const held = this.#keys.get(key);
        const verdict = held?.decide(points, cost, nowMs);
        if (verdict === undefined) return this.#wait(key, held, points, cost, nowMs, fallback);
        if (held!.wantsDrawAhead(points) && store.isUp(held!.lane)) this.#ask(held!, points);
        return verdict;
      },
      peek: (key, cost = 1) => {
        const known = this.#keys.get(key)?.peek(points, cost, monotonic());
        if (known !== undefined) return known;
        const lane = store.laneOf(key);
        if (!store.isUp(lane)) return fallback.peek(key, cost);
        const question = { id: this.#id, key, points, windowMs: this.#windowMs, cost };
        return peekShared(store, lane, question, fallback);
      },
    };
  }

  #wait(
    key: string,
    known: LeasedKey | undefined,
    points: number,
    cost: number,
    nowMs: number,
    fallback: FallbackLimiter,
  ): LimitVerdict | Promise<LimitVerdict> {
    const { store } = this.#environment;
    const lane = known?.lane ?? store.laneOf(key);
    if (!store.isUp(lane)) return fallback.consume(key, cost);
    const held = known ?? new LeasedKey(key, lane, this.#windowMs);
    // One whose window has ended would soon be cleared away, and with it what is about to be drawn.
    if (!held.isAsking && held.endsAtMs <= nowMs) this.#hold(held, nowMs);
    return new Promise((resolve) => {
      const request: WaitingRequest = {
        cost,
        points,
        isSettled: false,
        resolve,
        onDue: () => resolve(fallback.consume(key, cost)),
      };
      held.waiting.push(request);
      store.deadlines.add(request);
      if (held.isAsking) store.hurry();
      else this.#ask(held, points);
    });
  }

  /** In the place of what was held of the key before. */
  #hold(held: LeasedKey, nowMs: number): void {
    this.#environment.round.open(this.windows, held.key, nowMs);
    this.#keys.set(held.key, held);
  }

  #ask(held: LeasedKey, points: number): void {
    const { store, monotonic, liveNodes } = this.#environment;
    const nowMs = monotonic();
    const canWait = held.waiting.length === 0 && held.lastsMs(nowMs) > GATHER_MS;
    const ask = held.toAsk(points, liveNodes(), nowMs);
    if (ask === undefined) return;
    held.isAsking = true;
    const { lane, key } = held;
    const window = { lane, limiter: this.#id, key, windowMs: this.#windowMs };
    const handler: AskHandler = {
      onGrant: (grant, sentAtMs) => {
        const isOther = held.take(grant, sentAtMs);
        // Kept as long as its window, which is not the one it was opened for.
        if (isOther && this.#keys.get(held.key) === held) this.#hold(held, monotonic());
        this.#serve(held);
      },
      onFailure: () => giveUp(held),
      onEnd: () => {
        held.isAsking = false;
        this.#askForWaiting(held);
      },
    };
    if (canWait) store.askAhead(window, ask, handler);
    else store.ask(window, ask, handler);
  }

  /** In the order they came; one that needs more than there is holds up nobody who needs less. */
  #serve(held: LeasedKey): void {
    const nowMs = this.#environment.monotonic();
    removeSettled(held, (request) => {
      const verdict = held.decide(request.points, request.cost, nowMs);
      if (verdict === undefined) return false;
      request.isSettled = true;
      request.resolve(verdict);
      return true;
    });
  }

  #askForWaiting(held: LeasedKey): void {
    removeSettled(held, () => false);
    const [first] = held.waiting;
    if (first === undefined) return;
    if (this.#environment.store.isUp(held.lane)) this.#ask(held, first.points);
    else giveUp(held);
  }
}

/** Nobody waits any longer: each goes by its fallback. */
function giveUp(held: LeasedKey): void {
  for (const request of held.waiting) {
    if (request.isSettled) continue;
    request.isSettled = true;
    request.onDue();
  }
  held.waiting.length = 0;
}

/** Keeps who is not settled, by others or by `settle`. */
function removeSettled(held: LeasedKey, settle: (request: WaitingRequest) => boolean): void {
  let kept = 0;
  for (const request of held.waiting) {
    if (!request.isSettled && !settle(request)) held.waiting[kept++] = request;
  }
  held.waiting.length = kept;
}
