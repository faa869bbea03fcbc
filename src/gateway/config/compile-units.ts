/** Routes → what snapshots share of them, taken over from the one before where nothing has changed. */
import { runInSlices, type Steps } from '../routing/sliced-work.ts';
import type { HoldingSources } from './holding-sources.ts';
import { SLICE_MS, type Pacer } from './pacer.ts';
import type { RouteConfig } from './route-config.ts';
import { createRouteUnit, type RouteUnit, type UnitCompiler } from './route-unit.ts';
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
  const removed: RouteUnit[] = [];
  let seen = 0;
  yield;
  for (const part of taken ?? planAnew(routes)) {
    if (part.kind === 'new') {
      const unit = createRouteUnit(part.route, part.order, compiler, sources);
      units.push(unit);
      added.push(unit);
      yield;
      continue;
    }
    const before = previous!.units;
    for (; seen < part.from; seen++) removed.push(before[seen]!);
    for (const end = seen + part.count; seen < end; seen++) {
      units.push(before[seen]!.share());
      if (seen % SHARED_A_STEP === 0) yield;
    }
  }
  if (taken === undefined) return { units, change: undefined };
  for (; seen < previous!.units.length; seen++) removed.push(previous!.units[seen]!);
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
