/** Configuration → snapshot, beside the running one and in slices, so that traffic does not notice. */
import type { Service } from '../../mesh/service/service.ts';
import type { HeldCells, RequestMetrics } from '../observe/request-metrics.ts';
import type { PluginInstance } from '../pipeline/hooks.ts';
import { allowedServicesOf, compileDoors, type DoorCompiler } from '../doors/compile-doors.ts';
import { createRouteTableInSlices } from '../routing/route-table.ts';
import { admitsHost, parseHostPattern } from '../routing/host-pattern.ts';
import type { RouteSpec } from '../routing/route-spec.ts';
import { compileRoute, type RouteCompiler } from './compile-route.ts';
import type { Config, PluginEntry } from './config.ts';
import type { ListenerConfig } from './listener-config.ts';
import type { ServiceConfig } from './service-config.ts';
import { keyOfService } from './service-key.ts';
import { createConsumerDirectory } from './consumer-directory.ts';
import type { Holding, KeyedPool } from './keyed-pool.ts';
import { SnapshotLease } from './snapshot-lease.ts';
import type { CompiledRoute, ListenerPlan, Snapshot } from './snapshot.ts';

export interface CompileDependencies {
  /** Shared by all snapshots of the process. */
  readonly services: KeyedPool<Service>;
  readonly plugins: KeyedPool<PluginInstance>;
  readonly createService: (config: ServiceConfig) => Service;
  /** `scope`: the route the plugin stands on; undefined for one on every route. */
  readonly createPlugin: (entry: PluginEntry, scope: string | undefined) => PluginInstance;
  readonly cellsOf: RequestMetrics['cellsOf'];
  /** What the mesh doors need. */
  readonly undeclared: DoorCompiler['undeclared'];
  readonly onDemand: DoorCompiler['onDemand'];
  /** Lets everything else have its turn. */
  readonly pause: () => Promise<void>;
  readonly monotonic: () => number;
}

export interface CompiledSnapshot extends Snapshot {
  readonly lease: SnapshotLease;
}

/** Longest stretch of work between two pauses, in milliseconds. */
const SLICE_MS = 2;

/** About a millisecond's work. */
const CELLS_A_TURN = 4096;

/** Rejects, having let go of everything, where a service or plugin cannot be made. */
export async function compileSnapshot(
  config: Config,
  identity: { readonly revision: number; readonly hash: string },
  dependencies: CompileDependencies,
): Promise<CompiledSnapshot> {
  const holdings = new SnapshotHoldings(dependencies);
  try {
    const serviceConfigs = [
      ...config.services,
      ...allowedServicesOf(config, dependencies.undeclared),
    ];
    const services = holdings.services(serviceConfigs);
    const balancers = new Map(config.services.map(({ name, balancer }) => [name, balancer]));
    const compiler: RouteCompiler = {
      service: (name) => services.get(name)!,
      balancer: (name) => balancers.get(name)!,
      plugin: (entry, scope) => holdings.plugin(entry, scope),
      cellsOf: (route) => holdings.cells(route),
      everywhere: config.plugins.map((entry) => holdings.plugin(entry, undefined)),
      chains: new Map(),
    };
    const routes = await compileRoutes(config, compiler, dependencies);
    return {
      ...identity,
      listeners: new Map([
        ...(await compileListeners(config, routes, dependencies)),
        ...compileDoors(config, serviceConfigs, {
          ...dependencies,
          hold: (service) => holdings.service(service),
          cellsOf: (route, part) => holdings.cells(route, part),
        }),
      ]),
      consumers: createConsumerDirectory(config.consumers),
      services,
      lease: new SnapshotLease(() => void holdings.releaseInTurns()),
    };
  } catch (error) {
    holdings.release();
    throw error;
  }
}

type CompiledSpec = RouteSpec<CompiledRoute> & { readonly listeners: readonly string[] };

async function compileRoutes(
  config: Config,
  compiler: RouteCompiler,
  { pause, monotonic }: CompileDependencies,
): Promise<readonly CompiledSpec[]> {
  const specs: CompiledSpec[] = [];
  let sliceEnds = monotonic() + SLICE_MS;
  for (const route of config.routes) {
    const { name, priority, matches, listeners } = route;
    specs.push({ name, priority, matches, listeners, value: compileRoute(route, compiler) });
    if (monotonic() < sliceEnds) continue;
    await pause();
    sliceEnds = monotonic() + SLICE_MS;
  }
  return specs;
}

async function compileListeners(
  config: Config,
  routes: readonly CompiledSpec[],
  { pause, monotonic }: CompileDependencies,
): Promise<ReadonlyMap<string, ListenerPlan>> {
  const plans = new Map<string, ListenerPlan>();
  for (const listener of config.listeners) {
    const own = routes.filter(
      ({ listeners }) => listeners.length === 0 || listeners.includes(listener.name),
    );
    plans.set(listener.name, {
      table: await createRouteTableInSlices(own, pause, SLICE_MS, monotonic),
      ownerOf: compileOwnerOf(listener, config.listeners),
      redirectHttps: listener.redirectHttps,
    });
  }
  return plans;
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

/** What one snapshot holds of the shared pools. */
class SnapshotHoldings {
  readonly #dependencies: CompileDependencies;
  readonly #services: Holding<Service>[] = [];
  readonly #plugins: Holding<PluginInstance>[] = [];
  readonly #cells: HeldCells[] = [];

  constructor(dependencies: CompileDependencies) {
    this.#dependencies = dependencies;
  }

  services(configs: readonly ServiceConfig[]): ReadonlyMap<string, Service> {
    return new Map(configs.map((config) => [config.name, this.service(config)]));
  }

  service(config: ServiceConfig): Service {
    const { services, createService } = this.#dependencies;
    const holding = services.hold(keyOfService(config), () => createService(config));
    this.#services.push(holding);
    return holding.value;
  }

  plugin(entry: PluginEntry, scope: string | undefined): PluginInstance {
    const { plugins, createPlugin } = this.#dependencies;
    const key = JSON.stringify([entry.name, scope, entry.config]);
    const holding = plugins.hold(key, () => createPlugin(entry, scope));
    this.#plugins.push(holding);
    return holding.value;
  }

  cells(route: string, part?: string): HeldCells {
    const cells = this.#dependencies.cellsOf(route, part);
    this.#cells.push(cells);
    return cells;
  }

  /** Of 100,000 routes each has cells, none of them in the processor's caches. */
  async releaseInTurns(): Promise<void> {
    this.#releaseShared();
    const { pause } = this.#dependencies;
    for (const [i, cells] of this.#cells.entries()) {
      if (i % CELLS_A_TURN === CELLS_A_TURN - 1) await pause();
      cells.release();
    }
  }

  release(): void {
    for (const cells of this.#cells) cells.release();
    this.#releaseShared();
  }

  #releaseShared(): void {
    for (const holding of this.#services) this.#dependencies.services.release(holding);
    for (const holding of this.#plugins) this.#dependencies.plugins.release(holding);
  }
}
