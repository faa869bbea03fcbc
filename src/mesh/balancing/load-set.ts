/** The endpoints that one target may use, and who of them is eligible: worked out on change, not per request. */
import { isWell, type Endpoint } from '../endpoint.ts';
import type { BalancingPolicy, ExplainedPick, PickHint } from './policy.ts';
import { priorityLoads } from './priority-load.ts';
import { toZoneGroups, type EndpointGroup } from './zone-groups.ts';

/** Metadata an endpoint must have, each value equal; empty admits all. */
export type Where = Readonly<Record<string, string>>;

/** What becomes of one endpoint in a pick. */
export type Verdict =
  | 'chosen'
  | 'eligible'
  | 'already-tried'
  | 'other-zone'
  | 'other-priority'
  | 'ejected'
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

/** Endpoints of one priority and zone, under their own policy. */
interface Group extends EndpointGroup {
  readonly policy: BalancingPolicy;
}

/** Endpoints of one priority. */
interface Level {
  readonly priority: number;
  readonly groups: readonly Group[];
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

/** The one whose turn it is by share; all shares make 1. */
function draw<Item extends { readonly share: number }>(
  items: readonly Item[],
  random: () => number,
): Item | undefined {
  if (items.length < 2) return items[0];
  let lot = random();
  let last: Item | undefined;
  for (const item of items) {
    if (item.share === 0) continue;
    last = item;
    lot -= item.share;
    if (lot < 0) return item;
  }
  return last;
}

/** `zone`: where the callers are; their own is preferred. Undefined: zones do not matter. */
export function createLoadSet(
  where: Where,
  createPolicy: () => BalancingPolicy,
  random: () => number,
  zone?: string,
): LoadSet {
  let all = NO_ENDPOINTS;
  let levels: readonly Level[] = [];

  /** For a retry: any group with an endpoint not yet tried, of the most preferred priority. */
  function untriedGroup({ exclude }: PickHint): Group | undefined {
    for (const { groups } of levels) {
      for (const group of groups) {
        if (group.eligible.some((one) => !exclude.includes(one))) return group;
      }
    }
    return undefined;
  }

  function mayKeep(pinned: Endpoint, { exclude }: PickHint): boolean {
    return (
      isUsable(pinned) && isWell(pinned) && !exclude.includes(pinned) && hasMetadata(pinned, where)
    );
  }

  function verdictOf(
    endpoint: Endpoint,
    hint: PickHint,
    chosen: Endpoint | undefined,
    from: Group | undefined,
  ): Verdict {
    if (!hasMetadata(endpoint, where)) return 'metadata-differs';
    if (endpoint === chosen) return 'chosen';
    if (endpoint.draining) return 'draining';
    if (endpoint.weight <= 0) return 'weight-zero';
    const level = levels.find(({ groups }) => groups.some((one) => isIn(endpoint, one)));
    if (level === undefined) return endpoint.healthy ? 'ejected' : 'unhealthy';
    if (hint.exclude.includes(endpoint)) return 'already-tried';
    if (from === undefined || isIn(endpoint, from)) return 'eligible';
    return level.groups.includes(from) ? 'other-zone' : 'other-priority';
  }

  /** The group to pick from, and how, when the first one had nothing left for a retry. */
  function pickAgain(first: Group, hint: PickHint): Endpoint | undefined {
    const other = untriedGroup(hint);
    if (other !== undefined) return other.policy.pick(hint);
    return first.policy.pick({ ...hint, exclude: NO_ENDPOINTS });
  }

  function explainPick(hint: PickHint): {
    readonly pick: ExplainedPick | undefined;
    readonly group: Group | undefined;
    readonly level: Level | undefined;
  } {
    const level = draw(levels, random);
    const group = level && draw(level.groups, random);
    if (hint.pinned !== undefined && mayKeep(hint.pinned, hint)) {
      const pick = { endpoint: hint.pinned, reason: 'sticky: named by the cookie' };
      return { pick, group: undefined, level };
    }
    const pick = group?.policy.explain(hint);
    if (group === undefined || pick !== undefined) return { pick, group, level };
    const other = untriedGroup(hint);
    const again =
      other?.policy.explain(hint) ?? group.policy.explain({ ...hint, exclude: NO_ENDPOINTS });
    return { pick: again, group: other ?? group, level };
  }

  return {
    where,
    pick(hint) {
      const { pinned } = hint;
      if (pinned !== undefined && mayKeep(pinned, hint)) return pinned;
      const level = draw(levels, random);
      if (level === undefined) return undefined;
      const group = draw(level.groups, random);
      if (group === undefined) return undefined;
      const endpoint = group.policy.pick(hint);
      return endpoint !== undefined || hint.exclude.length === 0
        ? endpoint
        : pickAgain(group, hint);
    },
    explain(hint) {
      const { pick, group, level } = explainPick(hint);
      return {
        pick:
          pick === undefined || group?.zone === undefined
            ? pick
            : { ...pick, reason: `${pick.reason}, in zone ${group.zone || 'none'}` },
        panic: level?.panic ?? false,
        considered: all.map((endpoint) => ({
          endpoint,
          verdict: verdictOf(endpoint, hint, pick?.endpoint, group),
        })),
      };
    },
    update(endpoints) {
      all = endpoints;
      const priorities = byPriority(
        endpoints.filter((one) => isUsable(one) && hasMetadata(one, where)),
      );
      const loads = priorityLoads(
        priorities.map(([, usable]) => ({
          healthy: usable.filter(isWell).length,
          total: usable.length,
        })),
      );
      const before = levels;
      levels = priorities.map(([priority, usable], index) => {
        const { share, panic } = loads[index] ?? { share: 0, panic: false };
        const known = before.find((level) => level.priority === priority)?.groups ?? [];
        // In panic nobody knows who is well, so zones are no guide either.
        const groups = panic
          ? toZoneGroups(undefined, usable, usable)
          : toZoneGroups(zone, usable, usable.filter(isWell));
        return {
          priority,
          groups: groups.map((group) => {
            const policy = known.find((one) => one.zone === group.zone)?.policy ?? createPolicy();
            policy.update(group.eligible);
            return { ...group, policy };
          }),
          share,
          panic,
        };
      });
    },
  };
}

function isIn(endpoint: Endpoint, { eligible }: EndpointGroup): boolean {
  return eligible.includes(endpoint);
}
