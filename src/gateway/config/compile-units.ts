/** Routes → what snapshots share of them, taken over from the one before where nothing has changed. */
import { runInSlices, type Steps } from '../routing/sliced-work.ts';
import type { HoldingSources } from './holding-sources.ts';
import { SLICE_MS, type Pacer } from './pacer.ts';
import type { RouteConfig } from './route-config.ts';
import { createRouteUnit, RouteUnit, type UnitCompiler } from './route-unit.ts';
import type { SnapshotHoldings } from './snapshot-holdings.ts';
import { planAnew, planFrom } from './unit-plan.ts';

export interface CompiledUnits {
  /** In the order of the file. */
  readonly units: readonly RouteUnit[];
  /** What leads here from the snapshot before; undefined where none of it is left. */
  readonly change:
    | { readonly removed: readonly RouteUnit[]; readonly added: readonly RouteUnit[] }
    | undefined;
}

export interface UnitsToCompile {
  readonly routes: readonly RouteConfig[];
  readonly compiler: UnitCompiler;
  readonly sources: HoldingSources;
  readonly pacer: Pacer;
  readonly holdings: SnapshotHoldings;
  readonly previous:
    | {
        readonly routes: readonly RouteConfig[];
        readonly units: readonly RouteUnit[];
        /** By name. */
        readonly changedServices: ReadonlySet<string>;
      }
    | undefined;
}

/** A look at the clock costs more than to take one over. */
const SHARED_A_STEP = 256;

/** Rejects where a plugin cannot be made; the holdings then have those that there are. */
export function compileUnits(work: UnitsToCompile): Promise<CompiledUnits> {
  const { pause, monotonic } = work.pacer;
  return runInSlices(steps(work), pause, SLICE_MS, monotonic);
}

function* steps(work: UnitsToCompile): Steps<CompiledUnits> {
  const { routes, compiler, sources, holdings, previous } = work;
  const units: RouteUnit[] = [];
  const added: RouteUnit[] = [];
  holdings.units(units);
  const taken = previous && planFrom(previous.units, previous.routes, routes, toCheck(previous));
  yield;
  for (const planned of taken ?? planAnew(routes)) {
    if (planned instanceof RouteUnit) {
      units.push(planned.share());
      if (units.length % SHARED_A_STEP === 0) yield;
    } else {
      const unit = createRouteUnit(planned.route, planned.order, compiler, sources);
      units.push(unit);
      added.push(unit);
      yield;
    }
  }
  if (taken === undefined) return { units, change: undefined };
  const removed = yield* leftOut(previous!.units, units);
  return { units, change: { removed, added } };
}

/** Of all that is not looked at one by one there is nothing to check. */
function toCheck({
  changedServices: changed,
}: NonNullable<UnitsToCompile['previous']>): ((unit: RouteUnit) => boolean) | undefined {
  if (changed.size === 0) return undefined;
  return ({ route: { targets, mirrors } }) =>
    !mirrors.some(({ service }) => changed.has(service)) &&
    !targets.some((target) => target.kind === 'service' && changed.has(target.service));
}

/** Both in the same order, but for what the second has not. */
function* leftOut(before: readonly RouteUnit[], after: readonly RouteUnit[]): Steps<RouteUnit[]> {
  const removed: RouteUnit[] = [];
  let at = 0;
  for (const [i, unit] of before.entries()) {
    while (at < after.length && after[at]!.order < unit.order) at++;
    if (after[at] !== unit) removed.push(unit);
    if (i % SHARED_A_STEP === 0) yield;
  }
  return removed;
}
