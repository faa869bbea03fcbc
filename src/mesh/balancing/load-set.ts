/** The endpoints that one target may use, and who of them is eligible: worked out on change, not per request. */
import type { Endpoint } from '../endpoint.ts';
import type { BalancingPolicy, ExplainedPick, PickHint } from './policy.ts';
import { priorityLoads } from './priority-load.ts';

/** Metadata an endpoint must have, each value equal; empty admits all. */
export type Where = Readonly<Record<string, string>>;

/** What becomes of one endpoint in a pick. */
export type Verdict =
  | 'chosen'
  | 'eligible'
  | 'already-tried'
  | 'other-priority'
  | 'unhealthy'
  | 'draining'
  | 'weight-zero'
  | 'metadata-differs';

export interface LoadSetExplanation {
  readonly pick: ExplainedPick | undefined;
  /** Too few are healthy, so the unhealthy are used too. */
  readonly panic: boolean;
  /** Every endpoint of the service, in its order. */
  readonly considered: readonly { readonly endpoint: Endpoint; readonly verdict: Verdict }[];
}

/** A handle for the request path; it stays the same while the endpoints come and go. */
export interface LoadSet {
  readonly where: Where;
  /**
   * An endpoint that is not excluded; where all are, one of them again, since a single
   * endpoint is retried too. Undefined where none is eligible. Allocates nothing on a first try.
   */
  pick(hint: PickHint): Endpoint | undefined;
  /** What `pick` would do and why; spends nobody's turn. */
  explain(hint: PickHint): LoadSetExplanation;
  /** Looks at all endpoints of the service and their states anew. */
  update(endpoints: readonly Endpoint[]): void;
}

/** Endpoints of one priority, under their own policy. */
interface Level {
  readonly priority: number;
  readonly policy: BalancingPolicy;
  readonly eligible: readonly Endpoint[];
  readonly share: number;
  readonly panic: boolean;
}

const NO_ENDPOINTS: readonly Endpoint[] = [];

function hasMetadata(endpoint: Endpoint, where: Where): boolean {
  return Object.entries(where).every(([key, value]) => endpoint.spec.metadata[key] === value);
}

/** Draining and weightless endpoints are out of every count, even in panic. */
function isUsable(endpoint: Endpoint): boolean {
  return endpoint.weight > 0 && !endpoint.draining;
}

function byPriority(endpoints: readonly Endpoint[]): (readonly [number, readonly Endpoint[]])[] {
  const groups = Map.groupBy(endpoints, ({ spec }) => spec.priority ?? 0);
  return [...groups].sort(([a], [b]) => a - b);
}

export function createLoadSet(
  where: Where,
  createPolicy: () => BalancingPolicy,
  random: () => number,
): LoadSet {
  let all = NO_ENDPOINTS;
  let levels: readonly Level[] = [];

  /** The level whose turn it is by share. */
  function drawLevel(): Level | undefined {
    if (levels.length < 2) return levels[0];
    let lot = random();
    let last: Level | undefined;
    for (const level of levels) {
      if (level.share === 0) continue;
      last = level;
      lot -= level.share;
      if (lot < 0) return level;
    }
    return last;
  }

  /** For a retry: any level with an endpoint not yet tried, the most preferred first. */
  function untriedLevel(hint: PickHint): Level | undefined {
    return levels.find(({ eligible }) => eligible.some((one) => !hint.exclude.includes(one)));
  }

  function verdictOf(
    endpoint: Endpoint,
    hint: PickHint,
    chosen: Endpoint | undefined,
    from: Level | undefined,
  ): Verdict {
    if (!hasMetadata(endpoint, where)) return 'metadata-differs';
    if (endpoint === chosen) return 'chosen';
    if (endpoint.draining) return 'draining';
    if (endpoint.weight <= 0) return 'weight-zero';
    const level = levels.find(({ eligible }) => eligible.includes(endpoint));
    if (level === undefined) return 'unhealthy';
    if (hint.exclude.includes(endpoint)) return 'already-tried';
    return level === from ? 'eligible' : 'other-priority';
  }

  return {
    where,
    pick(hint) {
      const level = drawLevel();
      if (level === undefined) return undefined;
      const endpoint = level.policy.pick(hint);
      if (endpoint !== undefined || hint.exclude.length === 0) return endpoint;
      const other = untriedLevel(hint);
      if (other !== undefined) return other.policy.pick(hint);
      return level.policy.pick({ ...hint, exclude: NO_ENDPOINTS });
    },
    explain(hint) {
      let level = drawLevel();
      let pick = level?.policy.explain(hint);
      if (pick === undefined && level !== undefined) {
        const other = untriedLevel(hint);
        pick =
          other?.policy.explain(hint) ?? level.policy.explain({ ...hint, exclude: NO_ENDPOINTS });
        level = other ?? level;
      }
      return {
        pick,
        panic: level?.panic ?? false,
        considered: all.map((endpoint) => ({
          endpoint,
          verdict: verdictOf(endpoint, hint, pick?.endpoint, level),
        })),
      };
    },
    update(endpoints) {
      all = endpoints;
      const groups = byPriority(
        endpoints.filter((one) => isUsable(one) && hasMetadata(one, where)),
      );
      const loads = priorityLoads(
        groups.map(([, usable]) => ({
          healthy: usable.filter(({ healthy }) => healthy).length,
          total: usable.length,
        })),
      );
      const before = levels;
      levels = groups.map(([priority, usable], index) => {
        const { share, panic } = loads[index] ?? { share: 0, panic: false };
        const policy =
          before.find((level) => level.priority === priority)?.policy ?? createPolicy();
        const eligible = panic ? usable : usable.filter(({ healthy }) => healthy);
        policy.update(eligible);
        return { priority, policy, eligible, share, panic };
      });
    },
  };
}
