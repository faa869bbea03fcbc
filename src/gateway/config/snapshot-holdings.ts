/** What one snapshot holds of all that successive snapshots share. */
import type { Service } from '../../mesh/service/service.ts';
import type { HeldCells } from '../observe/request-metrics.ts';
import type { PluginInstance } from '../pipeline/hooks.ts';
import type { PluginEntry } from './config.ts';
import { holdPlugin, type HoldingSources } from './holding-sources.ts';
import type { Holding } from './keyed-pool.ts';
import type { RouteUnit } from './route-unit.ts';
import type { ServiceConfig } from './service-config.ts';
import { keyOfService } from './service-key.ts';

/** About a millisecond's work: of 100,000 routes none is in the processor's caches. */
const UNITS_A_TURN = 4096;

export class SnapshotHoldings {
  readonly #sources: HoldingSources;
  readonly #services: Holding<Service>[] = [];
  readonly #byConfig = new Map<ServiceConfig, Holding<Service>>();
  readonly #plugins: Holding<PluginInstance>[] = [];
  readonly #cells: HeldCells[] = [];
  #units: readonly RouteUnit[] = [];

  constructor(sources: HoldingSources) {
    this.#sources = sources;
  }

  /** `previous`: of a snapshot that is held while this one is being made. */
  services(
    configs: readonly ServiceConfig[],
    previous: SnapshotHoldings | undefined,
  ): ReadonlyMap<string, Service> {
    return new Map(configs.map((config) => [config.name, this.service(config, previous)]));
  }

  service(config: ServiceConfig, previous?: SnapshotHoldings): Service {
    const { services, createService } = this.#sources;
    // To make the key of a service takes longer than all else about one that has not changed.
    const before = previous === undefined ? undefined : previous.#byConfig.get(config);
    const known = this.#byConfig.get(config) ?? before;
    const holding =
      known === undefined
        ? services.hold(keyOfService(config), () => createService(config))
        : services.share(known);
    this.#byConfig.set(config, holding);
    this.#services.push(holding);
    return holding.value;
  }

  plugin(entry: PluginEntry, scope: string | undefined): PluginInstance {
    const holding = holdPlugin(entry, scope, this.#sources);
    this.#plugins.push(holding);
    return holding.value;
  }

  cells(route: string, part?: string): HeldCells {
    const cells = this.#sources.cellsOf(route, part);
    this.#cells.push(cells);
    return cells;
  }

  /** All of them; each has been made, or shared, for this snapshot. The list may yet become longer. */
  units(units: readonly RouteUnit[]): void {
    this.#units = units;
  }

  async releaseInTurns(pause: () => Promise<void>): Promise<void> {
    this.#releaseOthers();
    for (const [i, unit] of this.#units.entries()) {
      if (i % UNITS_A_TURN === UNITS_A_TURN - 1) await pause();
      unit.release(this.#sources);
    }
  }

  release(): void {
    this.#releaseOthers();
    for (const unit of this.#units) unit.release(this.#sources);
  }

  #releaseOthers(): void {
    for (const cells of this.#cells) cells.release();
    for (const holding of this.#services) this.#sources.services.release(holding);
    for (const holding of this.#plugins) this.#sources.plugins.release(holding);
  }
}
