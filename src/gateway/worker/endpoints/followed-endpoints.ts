/** A worker's endpoints of one service: live ones of its own, with what the supervisor tells of them. */
import {
  createEndpoint,
  isSameInstance,
  type Endpoint,
  type EndpointSpec,
} from '../../../mesh/endpoint.ts';
import type { EndpointChanges, EndpointState, ToldEndpoint } from './endpoint-messages.ts';

/** An endpoint, and what the supervisor was told of it. */
export interface Followed {
  readonly endpoint: Endpoint;
  tries: number;
  failedTries: number;
  timedAnswers: number;
  answerMs: number;
  active: number;
}

/** What the service has to be told; undefined: its list stays, and the states in it changed. */
export type ListChange =
  | { readonly endpoints: readonly Endpoint[]; readonly removed: readonly Endpoint[] }
  | undefined;

export class FollowedEndpoints {
  readonly #monotonic: () => number;
  #list: readonly Followed[] = [];
  readonly #byRef = new Map<number, Followed>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get list(): readonly Followed[] {
    return this.#list;
  }

  /**
   * All anew. The supervisor may have another record of an instance that is in use here: its
   * connections stay.
   */
  takeWhole(told: readonly ToldEndpoint[]): ListChange {
    const leaving = new Map(this.#list.map((one) => [one.endpoint.id, one]));
    this.#byRef.clear();
    const list = told.map((one) => {
      const known = leaving.get(one.spec.id);
      if (known === undefined || !isSameInstance(known.endpoint.spec, one.spec)) {
        return this.#add(one);
      }
      leaving.delete(one.spec.id);
      // Nobody counts the old ones any more.
      known.active = 0;
      this.#setRef(known, one.ref);
      this.#apply(known.endpoint, one.spec, one.state);
      return known;
    });
    return this.#use(list, [...leaving.values()]);
  }

  takeChanges({ removed, added, order, changed }: EndpointChanges): ListChange {
    for (const { ref, spec, state } of changed) {
      const known = this.#byRef.get(ref);
      if (known !== undefined) this.#apply(known.endpoint, spec, state);
    }
    if (removed.length === 0 && added.length === 0 && order === undefined) return undefined;
    const isRemoved = new Set(removed);
    const left = this.#list.filter((one) => isRemoved.has(refOf(one)));
    const kept = this.#list.filter((one) => !isRemoved.has(refOf(one)));
    for (const ref of removed) this.#byRef.delete(ref);
    const list: Followed[] = [];
    let next = 0;
    for (const one of added) {
      while (list.length < one.at && next < kept.length) list.push(kept[next++]!);
      list.push(this.#add(one));
    }
    list.push(...kept.slice(next));
    return this.#use(order === undefined ? list : order.map((ref) => this.#byRef.get(ref)!), left);
  }

  #use(list: readonly Followed[], left: readonly Followed[]): ListChange {
    this.#list = list;
    for (const { endpoint } of left) endpoint.seen.toldAs = 0;
    return {
      endpoints: list.map(({ endpoint }) => endpoint),
      removed: left.map(({ endpoint }) => endpoint),
    };
  }

  #add({ ref, spec, state }: ToldEndpoint): Followed {
    const endpoint = createEndpoint(spec, this.#monotonic());
    this.#apply(endpoint, undefined, state);
    const followed = {
      endpoint,
      tries: 0,
      failedTries: 0,
      timedAnswers: 0,
      answerMs: 0,
      active: 0,
    };
    this.#setRef(followed, ref);
    return followed;
  }

  #setRef(followed: Followed, ref: number): void {
    followed.endpoint.seen.toldAs = ref;
    this.#byRef.set(ref, followed);
  }

  #apply(endpoint: Endpoint, spec: EndpointSpec | undefined, state: EndpointState): void {
    const { wellForMs, usualAnswerMs, ...facts } = state;
    if (spec !== undefined) endpoint.spec = spec;
    Object.assign(endpoint, facts);
    endpoint.wellSinceMs = this.#monotonic() - wellForMs;
    endpoint.seen.usualAnswerMs = usualAnswerMs;
  }
}

function refOf({ endpoint }: Followed): number {
  return endpoint.seen.toldAs;
}
