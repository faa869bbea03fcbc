/** A route as successive snapshots share it: compiled, placed among the others, and with what it holds. */
import type { HeldCells } from '../observe/request-metrics.ts';
import type { PluginInstance } from '../pipeline/hooks.ts';
import { placeRoute, type CompiledEntry, type PlacedRoute } from '../routing/candidate.ts';
import { compileRoute, type RouteCompiler } from './compile-route.ts';
import { holdPlugin, type HoldingSources } from './holding-sources.ts';
import type { Holding } from './keyed-pool.ts';
import type { RouteConfig } from './route-config.ts';
import type { CompiledRoute } from './snapshot.ts';

/** Of the whole configuration, what a route is compiled with. */
export type UnitCompiler = Omit<RouteCompiler, 'plugin' | 'cellsOf'>;

type PluginHoldings = readonly Holding<PluginInstance>[];

const NO_PLUGINS: PluginHoldings = Object.freeze([]);

export class RouteUnit implements PlacedRoute<CompiledRoute> {
  readonly route: RouteConfig;
  readonly value: CompiledRoute;
  readonly entries: readonly CompiledEntry[];
  readonly #plugins: PluginHoldings;
  readonly #cells: HeldCells;
  /** Snapshots that have it. */
  #users = 1;

  constructor(
    route: RouteConfig,
    { value, entries }: PlacedRoute<CompiledRoute>,
    plugins: PluginHoldings,
    cells: HeldCells,
  ) {
    this.route = route;
    this.value = value;
    this.entries = entries;
    this.#plugins = plugins.length === 0 ? NO_PLUGINS : plugins;
    this.#cells = cells;
  }

  /** Where its entries begin, and where there is room again. */
  get order(): number {
    return this.entries[0]!.order;
  }

  get orderEnd(): number {
    return this.order + this.entries.length;
  }

  /** For one snapshot more, while another one has it. */
  share(): this {
    this.#users++;
    return this;
  }

  /** Once for each snapshot. */
  release({ plugins }: Pick<HoldingSources, 'plugins'>): void {
    if (--this.#users > 0) return;
    this.#cells.release();
    for (const holding of this.#plugins) plugins.release(holding);
  }
}

/** `order`: see `placeRoute`. Throws, having let go of everything, where a plugin cannot be made. */
export function createRouteUnit(
  route: RouteConfig,
  order: number,
  compiler: UnitCompiler,
  sources: HoldingSources,
): RouteUnit {
  const plugins: Holding<PluginInstance>[] = [];
  const cells = sources.cellsOf(route.name);
  try {
    const value = compileRoute(route, {
      ...compiler,
      plugin(entry, scope) {
        const holding = holdPlugin(entry, scope, sources);
        plugins.push(holding);
        return holding.value;
      },
      cellsOf: () => cells,
    });
    const { name, priority, matches } = route;
    const placed = placeRoute({ name, priority, matches, value }, order);
    return new RouteUnit(route, placed, plugins, cells);
  } catch (error) {
    cells.release();
    for (const holding of plugins) sources.plugins.release(holding);
    throw error;
  }
}
