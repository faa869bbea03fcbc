/** Which routes go on as they are from one snapshot to the next, and where the others get their places between them. */
import { stepsBetween } from './list-change.ts';
import type { RouteConfig } from './route-config.ts';
import type { RouteUnit } from './route-unit.ts';

/** A part of the next snapshot's routes: some that go on, or one to be made at a place among the others. */
export type PlannedPart =
  | { readonly kind: 'kept'; readonly from: number; readonly count: number }
  | { readonly kind: 'new'; readonly route: RouteConfig; readonly order: number };

/** Of units that stood next to each other, and go on so. */
interface Run {
  readonly from: number;
  readonly count: number;
  /** Where the first of them stands in the next snapshot. */
  readonly to: number;
}

/** More of them are not worth looking at one by one. */
const MAX_RUNS = 500;
/** Small integers to the engine: it is those that a search compares. */
const HIGHEST = 2 ** 31 - 1;
/** What is made anew leaves the other half to what comes behind it. */
const HIGHEST_ANEW = 2 ** 30;
const MAX_ROOM = 2 ** 14;
/** After one that is new others often follow, and then they do so one by one. */
const ROOM_BETWEEN = 64;

/** All of them anew. */
export function planAnew(routes: readonly RouteConfig[]): readonly PlannedPart[] {
  const room = Math.max(1, Math.min(MAX_ROOM, Math.floor(HIGHEST_ANEW / (routes.length + 1))));
  let end = 0;
  return routes.map((route) => {
    const order = end + room;
    end = order + route.matches.length;
    return { kind: 'new', route, order };
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
): readonly PlannedPart[] | undefined {
  const runs: Run[] = [];
  let to = 0;
  for (const step of stepsBetween(routesBefore, routes)) {
    if (step.kind === 'new') to++;
    else {
      runs.push({ from: step.from, count: step.count, to });
      to += step.count;
    }
    if (runs.length > MAX_RUNS) return undefined;
  }
  const rising = heaviestRising(runs);
  const usable =
    isUsable === undefined ? rising : rising.flatMap((run) => usableParts(run, before, isUsable));
  return fillGaps(usable, before, routes);
}

function usableParts(
  { from, count, to }: Run,
  before: readonly RouteUnit[],
  isUsable: (unit: RouteUnit) => boolean,
): Run[] {
  const parts: Run[] = [];
  let start = 0;
  for (let i = 0; i <= count; i++) {
    if (i < count && isUsable(before[from + i]!)) continue;
    if (i > start) parts.push({ from: from + start, count: i - start, to: to + start });
    start = i + 1;
  }
  return parts;
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
  for (let i = best; i !== -1; i = leads[i]!) chosen.push(runs[i]!);
  return chosen.reverse();
}

/** Undefined where there is no room. */
function fillGaps(
  runs: readonly Run[],
  before: readonly RouteUnit[],
  routes: readonly RouteConfig[],
): readonly PlannedPart[] | undefined {
  const parts: PlannedPart[] = [];
  let at = 0;
  let end = 0;
  for (const run of [...runs, undefined]) {
    const fresh = routes.slice(at, run?.to);
    const width = fresh.reduce((sum, { matches }) => sum + matches.length, 0);
    const free = (run === undefined ? HIGHEST : before[run.from]!.order) - end - width;
    if (free < 0 && fresh.length > 0) return undefined;
    const between = run === undefined ? MAX_ROOM : ROOM_BETWEEN;
    const room = Math.min(between, Math.floor(free / (fresh.length + 1)));
    for (const route of fresh) {
      parts.push({ kind: 'new', route, order: end + room });
      end += room + route.matches.length;
    }
    if (run === undefined) break;
    const { from, count, to } = run;
    parts.push({ kind: 'kept', from, count });
    end = before[from + count - 1]!.orderEnd;
    at = to + count;
  }
  return parts;
}
