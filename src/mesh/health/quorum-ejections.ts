/** Ejections that other nodes tell of: raises suspicions, takes over what a quorum agrees on, and lets go of it. */
import type { Endpoint } from '../endpoint.ts';
import type { HealthHint } from './health-hint.ts';
import { judgeQuorum, mayAgree } from './quorum.ts';
import type { SharedService } from './shared-service.ts';

/** Which nodes sent requests to an endpoint lately. */
export type TrafficByEndpoint = ReadonlyMap<string, ReadonlySet<string>>;

export interface SettledHints {
  /** Why an endpoint is suspected, by its id; for people. */
  readonly suspects: ReadonlyMap<string, string>;
  /** Enough nodes have put an endpoint aside, so it matters who has traffic to it. */
  readonly wantsTraffic: boolean;
}

const NOTHING: SettledHints = { suspects: new Map(), wantsTraffic: false };
const NO_NODES: ReadonlySet<string> = new Set();

export class QuorumEjections {
  readonly #nodeId: string;
  readonly #service: SharedService;
  /** Those that were put aside on the word of others. */
  readonly #adopted = new Set<Endpoint>();
  /** Those that this node knows better of, until the others change their minds. */
  readonly #overruled = new Set<Endpoint>();
  #suspected = new Set<Endpoint>();

  constructor(nodeId: string, service: SharedService) {
    this.#nodeId = nodeId;
    this.#service = service;
  }

  /** `hints`: of other nodes that are alive. `traffic`: undefined where it is not known. */
  settle(hints: readonly HealthHint[], traffic: TrafficByEndpoint | undefined): SettledHints {
    const named = new Set(hints.flatMap(({ ejected }) => [...ejected]));
    const isQuiet = named.size === 0 && this.#adopted.size === 0 && this.#suspected.size === 0;
    if (isQuiet && this.#overruled.size === 0) return NOTHING;
    const suspects = new Map<string, string>();
    const suspected = new Set<Endpoint>();
    let wantsTraffic = false;
    for (const endpoint of this.#service.endpoints) {
      const { id } = endpoint;
      const others = named.has(id) ? observersOf(id, hints) : NO_NODES;
      if (others.size > 0) suspected.add(endpoint);
      const isOwn = endpoint.ejected && !endpoint.ejectedByQuorum;
      const observers = isOwn ? others.union(new Set([this.#nodeId])) : others;
      wantsTraffic ||= mayAgree(observers);
      this.#judge(endpoint, observers, traffic?.get(id), traffic !== undefined);
      if (others.size > 0 && !endpoint.ejected) {
        suspects.set(id, `put aside by ${[...others].join(', ')}`);
      }
    }
    this.#tellChecks(suspected);
    this.#forgetGone();
    return { suspects, wantsTraffic };
  }

  #judge(
    endpoint: Endpoint,
    observers: ReadonlySet<string>,
    withTraffic = NO_NODES,
    isTrafficKnown: boolean,
  ): void {
    const { outliers } = this.#service.health;
    // A check that passed has ended it.
    if (this.#adopted.has(endpoint) && !endpoint.ejectedByQuorum) {
      this.#adopted.delete(endpoint);
      this.#overruled.add(endpoint);
    }
    if (!isTrafficKnown && mayAgree(observers)) return;
    if (judgeQuorum(observers, withTraffic) === 'agreed') {
      if (endpoint.ejected || this.#overruled.has(endpoint)) return;
      const entitled = observers.union(withTraffic).size;
      const detail = `${[...observers].join(', ')} of ${entitled} nodes with traffic`;
      if (outliers?.adopt(endpoint, detail) === true) this.#adopted.add(endpoint);
      return;
    }
    this.#overruled.delete(endpoint);
    if (this.#adopted.delete(endpoint)) outliers?.release(endpoint);
  }

  #tellChecks(suspected: Set<Endpoint>): void {
    const { checks } = this.#service.health;
    const before = this.#suspected;
    this.#suspected = suspected;
    if (checks === undefined) return;
    for (const endpoint of before.difference(suspected)) checks.suspect(endpoint, false);
    for (const endpoint of suspected.difference(before)) checks.suspect(endpoint, true);
  }

  #forgetGone(): void {
    if (this.#adopted.size + this.#overruled.size === 0) return;
    const present = new Set(this.#service.endpoints);
    for (const kept of [this.#adopted, this.#overruled]) {
      for (const endpoint of kept) if (!present.has(endpoint)) kept.delete(endpoint);
    }
  }
}

function observersOf(id: string, hints: readonly HealthHint[]): ReadonlySet<string> {
  const nodes = hints.filter(({ ejected }) => ejected.has(id)).map(({ node }) => node);
  return new Set(nodes.toSorted());
}
