/** Which routes go on as they are from one snapshot to the next, and where the others get their places between them. */
import { stepsBetween } from './list-change.ts';
import type { RouteConfig } from './route-config.ts';
import type { RouteUnit } from './route-unit.ts';

/** A route of the next snapshot: as it is, or to be made at a place among the others. */
export type PlannedUnit = RouteUnit | { readonly route: RouteConfig; readonly order: number };

interface Run {
  readonly from: number;
  readonly count: number;
  /** Where it stands in the next snapshot. */
  readonly to: number;
}

/** More of them are not worth looking at one by one. */
const MAX_RUNS = 500;
/** Small integers to the engine: it is those that a search compares. */
const HIGHEST = 2 ** 30;
const MAX_ROOM = 2 ** 14;
/** After one that is new others often follow, and then they do so one by one. */
const ROOM_BETWEEN = 64;

/** All of them anew. */
export function planAnew(routes: readonly RouteConfig[]): readonly PlannedUnit[] {
  const room = Math.max(1, Math.min(MAX_ROOM, Math.floor(HIGHEST / (routes.length + 1))));
  let end = 0;
  return routes.map((route) => {
    const order = end + room;
    end = order + route.matches.length;
    return { route, order };
  });
}

/**
 * `isUsable`: whether all that a route refers to is as it was. Undefined where there is no room left
 * between two that stay, or too much has moved.
 */
export function planFrom(
  before: readonly RouteUnit[],
  routesBefore: readonly RouteConfig[],
  routes: readonly RouteConfig[],
  isUsable: ((unit: RouteUnit) => boolean) | undefined,
): readonly PlannedUnit[] | undefined {
  const runs: Run[] = [];
  let to = 0;
  for (const step of stepsBetween(routesBefore, routes)) {
    if (step.kind === 'kept') runs.push({ from: step.from, count: step.count, to });
    to += step.kind === 'kept' ? step.count : 1;
    if (runs.length > MAX_RUNS) return undefined;
  }
  const planned: (PlannedUnit | undefined)[] = Array.from({ length: routes.length });
  for (const run of heaviestRising(runs)) {
    for (let i = 0; i < run.count; i++) {
      const unit = before[run.from + i]!;
      if (isUsable === undefined || isUsable(unit)) planned[run.to + i] = unit;
    }
  }
  return fillGaps(planned, routes) ? (planned as PlannedUnit[]) : undefined;
}

/** Those that keep their order, as many as can: what else has moved gets a place of its own. */
function heaviestRising(runs: readonly Run[]): readonly Run[] {
  const weights: number[] = [];
  const leads: number[] = [];
  let best = -1;
  for (const [i, run] of runs.entries()) {
    let lead = -1;
    for (let j = 0; j < i; j++) {
      if (runs[j]!.from < run.from && (lead === -1 || weights[j]! > weights[lead]!)) lead = j;
    }
    weights.push(run.count + (lead === -1 ? 0 : weights[lead]!));
    leads.push(lead);
    if (best === -1 || weights[i]! > weights[best]!) best = i;
  }
  const chosen: Run[] = [];
  for (let i = best; i !== -1; i = leads[i]!) chosen.unshift(runs[i]!);
  return chosen;
}

/** False where there is no room. */
function fillGaps(planned: (PlannedUnit | undefined)[], routes: readonly RouteConfig[]): boolean {
  let end = 0;
  for (let at = 0; at < planned.length; at++) {
    const known = planned[at];
    if (known !== undefined) {
      end = (known as RouteUnit).orderEnd;
      continue;
    }
    let next = at;
    let width = 0;
    for (; next < planned.length && planned[next] === undefined; next++) {
      width += routes[next]!.matches.length;
    }
    const following = planned[next] as RouteUnit | undefined;
    const free = (following === undefined ? HIGHEST : following.order) - end - width;
    if (free < 0) return false;
    const between = following === undefined ? MAX_ROOM : ROOM_BETWEEN;
    const room = Math.min(between, Math.floor(free / (next - at + 1)));
    for (; at < next; at++) {
      const route = routes[at]!;
      planned[at] = { route, order: end + room };
      end += room + route.matches.length;
    }
    at--;
  }
  return true;
}
