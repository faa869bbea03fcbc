/** Routes → the plan of each listener. */
import { admitsHost, parseHostPattern } from '../routing/host-pattern.ts';
import { PlacedRouteTable } from '../routing/route-table.ts';
import { runInSlices } from '../routing/sliced-work.ts';
import type { CompiledUnits } from './compile-units.ts';
import type { Config } from './config.ts';
import type { ListenerConfig } from './listener-config.ts';
import { SLICE_MS, type Pacer } from './pacer.ts';
import type { RouteUnit } from './route-unit.ts';
import type { CompiledRoute, ListenerPlan } from './snapshot.ts';

/** By the listener's name. */
export type ListenerTables = ReadonlyMap<string, PlacedRouteTable<CompiledRoute>>;

/** Where more of the routes than this share differ, a table is built sooner than changed. */
const MAX_CHANGED = 0.25;

/** `before`: the tables of the units that `change` leads from. */
export async function compileListeners(
  { listeners }: Config,
  { units, change }: CompiledUnits,
  before: ListenerTables | undefined,
  { pause, monotonic }: Pacer,
): Promise<{ readonly plans: ReadonlyMap<string, ListenerPlan>; readonly tables: ListenerTables }> {
  const plans = new Map<string, ListenerPlan>();
  const tables = new Map<string, PlacedRouteTable<CompiledRoute>>();
  const changed = change === undefined ? units.length : change.removed.length + change.added.length;
  for (const listener of listeners) {
    const { name, redirectHttps } = listener;
    const isOwn = ({ route }: RouteUnit): boolean =>
      route.listeners.length === 0 || route.listeners.includes(name);
    const own = (): readonly RouteUnit[] => units.filter(isOwn);
    const known = changed > units.length * MAX_CHANGED ? undefined : before?.get(name);
    const steps =
      known === undefined || change === undefined
        ? PlacedRouteTable.of(own())
        : known.with(
            { removed: change.removed.filter(isOwn), added: change.added.filter(isOwn) },
            own,
          );
    const table = await runInSlices(steps, pause, SLICE_MS, monotonic);
    tables.set(name, table);
    plans.set(name, { table, ownerOf: compileOwnerOf(listener, listeners), redirectHttps });
  }
  return { plans, tables };
}

function compileOwnerOf(
  listener: ListenerConfig,
  all: readonly ListenerConfig[],
): ListenerPlan['ownerOf'] {
  if (listener.hosts.length === 0) return undefined;
  const own = listener.hosts.map(parseHostPattern);
  const others = all
    .filter((other) => other !== listener)
    .flatMap(({ hosts }) => hosts.map(parseHostPattern));
  return (host) => {
    if (own.some((pattern) => admitsHost(pattern, host))) return 'own';
    return others.some((pattern) => admitsHost(pattern, host)) ? 'other' : 'nobody';
  };
}
