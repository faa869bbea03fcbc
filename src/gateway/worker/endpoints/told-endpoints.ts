/** What the workers have been told of a service's endpoints, and what there is to tell since. */
import type { Endpoint, EndpointSpec } from '../../../mesh/endpoint.ts';
import type {
  AddedEndpoint,
  ChangedEndpoint,
  EndpointChanges,
  EndpointState,
  ToldEndpoint,
} from './endpoint-messages.ts';

interface Told {
  readonly ref: number;
  readonly endpoint: Endpoint;
  spec: EndpointSpec;
  state: EndpointState;
  wellSinceMs: number;
}

export class ToldEndpoints {
  readonly #nextRef: () => number;
  readonly #monotonic: () => number;
  #list: readonly Told[] = [];
  #byEndpoint = new Map<Endpoint, Told>();
  readonly #byRef = new Map<number, Told>();

  constructor(nextRef: () => number, monotonic: () => number) {
    this.#nextRef = nextRef;
    this.#monotonic = monotonic;
  }

  /** Undefined for one that has left the list. */
  find(ref: number): Endpoint | undefined {
    return this.#byRef.get(ref)?.endpoint;
  }

  /** As it was told last: for those who come late. */
  whole(): readonly ToldEndpoint[] {
    return this.#list.map(({ ref, endpoint, spec }) => ({
      ref,
      spec,
      // Time has gone on since it was told to the others.
      state: this.#stateOf(endpoint),
    }));
  }

  /** What is to be told, which it takes for told; undefined where nothing changed. */
  update(endpoints: readonly Endpoint[]): EndpointChanges | undefined {
    const changed: ChangedEndpoint[] = [];
    const isSameList =
      endpoints.length === this.#list.length &&
      endpoints.every((endpoint, at) => this.#list[at]!.endpoint === endpoint);
    const known = this.#list;
    const { removed, added } = isSameList ? NO_MOVES : this.#replace(endpoints);
    const isNew = new Set(added.map(({ ref }) => ref));
    for (const one of this.#list) if (!isNew.has(one.ref)) this.#compare(one, changed);
    const order = isSameList ? undefined : this.#newOrder(known);
    if (isSameList && changed.length === 0) return undefined;
    return { removed, added, changed, ...(order !== undefined && { order }) };
  }

  #replace(endpoints: readonly Endpoint[]): Pick<EndpointChanges, 'removed' | 'added'> {
    const added: AddedEndpoint[] = [];
    const leaving = this.#byEndpoint;
    this.#byEndpoint = new Map();
    this.#list = endpoints.map((endpoint, at) => {
      const known = leaving.get(endpoint);
      leaving.delete(endpoint);
      const told = known ?? this.#add(endpoint);
      if (known === undefined)
        added.push({ at, ref: told.ref, spec: told.spec, state: told.state });
      this.#byEndpoint.set(endpoint, told);
      return told;
    });
    const removed = Array.from(leaving.values(), ({ ref }) => ref);
    for (const ref of removed) this.#byRef.delete(ref);
    return { removed, added };
  }

  #add(endpoint: Endpoint): Told {
    const { spec, wellSinceMs } = endpoint;
    const state = this.#stateOf(endpoint);
    const told = { ref: this.#nextRef(), endpoint, spec, state, wellSinceMs };
    this.#byRef.set(told.ref, told);
    return told;
  }

  #compare(told: Told, changed: ChangedEndpoint[]): void {
    const { ref, endpoint, spec } = told;
    const isSpecNew = endpoint.spec !== spec;
    if (!isSpecNew && isAsTold(told)) return;
    told.spec = endpoint.spec;
    told.state = this.#stateOf(endpoint);
    told.wellSinceMs = endpoint.wellSinceMs;
    changed.push({ ref, state: told.state, ...(isSpecNew && { spec: told.spec }) });
  }

  /** Undefined where those that stay follow each other as before. */
  #newOrder(before: readonly Told[]): readonly number[] | undefined {
    const after = this.#list;
    const isKept = new Set(after);
    const wasThere = new Set(before);
    const stayed = before.filter((one) => isKept.has(one));
    const isInOrder = after
      .filter((one) => wasThere.has(one))
      .every((one, at) => stayed[at] === one);
    return isInOrder ? undefined : after.map(({ ref }) => ref);
  }

  #stateOf(endpoint: Endpoint): EndpointState {
    const { weight, factor, draining, healthy, ejected, ejectedByQuorum, gone } = endpoint;
    return {
      weight,
      factor,
      draining,
      healthy,
      ejected,
      ejectedByQuorum,
      gone,
      wellForMs: this.#monotonic() - endpoint.wellSinceMs,
      usualAnswerMs: endpoint.seen.usualAnswerMs,
    };
  }
}

const NO_MOVES: Pick<EndpointChanges, 'removed' | 'added'> = { removed: [], added: [] };

function isAsTold({ endpoint, state, wellSinceMs }: Told): boolean {
  return (
    endpoint.wellSinceMs === wellSinceMs &&
    endpoint.weight === state.weight &&
    endpoint.factor === state.factor &&
    endpoint.draining === state.draining &&
    endpoint.healthy === state.healthy &&
    endpoint.ejected === state.ejected &&
    endpoint.ejectedByQuorum === state.ejectedByQuorum &&
    endpoint.gone === state.gone &&
    endpoint.seen.usualAnswerMs === state.usualAnswerMs
  );
}
