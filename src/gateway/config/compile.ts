/** Configuration → snapshot, beside the running one and in slices, so that traffic does not notice. */
import type { Service } from '../../mesh/service/service.ts';
import type { PluginInstance } from '../pipeline/hooks.ts';
import { allowedServicesOf, compileDoors, type DoorCompiler } from '../doors/compile-doors.ts';
import type { Config } from './config.ts';
import { compileListeners, type ListenerTables } from './compile-listeners.ts';
import { compileUnits } from './compile-units.ts';
import { createConsumerDirectory } from './consumer-directory.ts';
import type { HoldingSources } from './holding-sources.ts';
import type { Pacer } from './pacer.ts';
import type { RouteUnit, UnitCompiler } from './route-unit.ts';
import { SnapshotHoldings } from './snapshot-holdings.ts';
import { SnapshotLease } from './snapshot-lease.ts';
import type { Snapshot } from './snapshot.ts';

export interface CompileDependencies extends HoldingSources, Pacer {
  /** What the mesh doors need. */
  readonly undeclared: DoorCompiler['undeclared'];
  readonly onDemand: DoorCompiler['onDemand'];
}

export interface CompiledSnapshot extends Snapshot {
  readonly lease: SnapshotLease;
  /** For the next one: what has not changed goes on. */
  readonly basis: SnapshotBasis;
}

/** All parts of it are shared with other snapshots, and never changed. */
export interface SnapshotBasis {
  readonly config: Config;
  readonly holdings: SnapshotHoldings;
  readonly everywhere: UnitCompiler['everywhere'];
  readonly chains: UnitCompiler['chains'];
  readonly units: readonly RouteUnit[];
  readonly tables: ListenerTables;
}

/**
 * The cost is that of what differs from `previous`, of which there may be nothing left to serve; the
 * result is the same without it. Rejects, having let go of everything, where a service or plugin
 * cannot be made.
 */
export async function compileSnapshot(
  config: Config,
  identity: { readonly revision: number; readonly hash: string },
  dependencies: CompileDependencies,
  previous?: CompiledSnapshot,
): Promise<CompiledSnapshot> {
  // What it holds must not be let go of before it is held by this one.
  previous?.lease.acquire();
  const holdings = new SnapshotHoldings(dependencies);
  try {
    return await compile(config, identity, dependencies, holdings, previous);
  } catch (error) {
    holdings.release();
    throw error;
  } finally {
    previous?.lease.release();
  }
}

async function compile(
  config: Config,
  identity: { readonly revision: number; readonly hash: string },
  dependencies: CompileDependencies,
  holdings: SnapshotHoldings,
  previous: CompiledSnapshot | undefined,
): Promise<CompiledSnapshot> {
  const { undeclared, pause } = dependencies;
  const serviceConfigs = [...config.services, ...allowedServicesOf(config, undeclared)];
  const services = holdings.services(serviceConfigs, previous?.basis.holdings);
  const balancers = new Map(config.services.map(({ name, balancer }) => [name, balancer]));
  const instances = config.plugins.map((entry) => holdings.plugin(entry, undefined));
  const basis = isSame(previous?.basis.everywhere, instances) ? previous?.basis : undefined;
  const compiler: UnitCompiler = {
    service: (name) => services.get(name)!,
    balancer: (name) => balancers.get(name)!,
    everywhere: basis?.everywhere ?? instances,
    chains: basis?.chains ?? new WeakMap(),
  };
  const units = await compileUnits({
    routes: config.routes,
    compiler,
    sources: dependencies,
    pacer: dependencies,
    holdings,
    previous: basis && {
      routes: basis.config.routes,
      units: basis.units,
      changedServices: changedNames(previous!.services, services),
    },
  });
  const tables = await compileListeners(config, units, basis?.tables, dependencies);
  return {
    ...identity,
    listeners: new Map([
      ...tables.plans,
      ...compileDoors(config, serviceConfigs, {
        ...dependencies,
        hold: (service) => holdings.service(service),
        cellsOf: (route, part) => holdings.cells(route, part),
      }),
    ]),
    consumers:
      previous?.basis.config.consumers === config.consumers
        ? previous.consumers
        : createConsumerDirectory(config.consumers),
    services,
    lease: new SnapshotLease(() => void holdings.releaseInTurns(pause)),
    basis: {
      config,
      holdings,
      everywhere: compiler.everywhere,
      chains: compiler.chains,
      units: units.units,
      tables: tables.tables,
    },
  };
}

function isSame(
  before: readonly PluginInstance[] | undefined,
  after: readonly PluginInstance[],
): boolean {
  return before?.length === after.length && before.every((one, i) => one === after[i]);
}

/** Services that are others than they were, or are gone. */
function changedNames(
  before: ReadonlyMap<string, Service>,
  after: ReadonlyMap<string, Service>,
): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const [name, service] of before) if (after.get(name) !== service) changed.add(name);
  return changed;
}
