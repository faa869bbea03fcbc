/** Services of the mesh that no configuration names: found when they are first called, let go when nobody calls them any more. */
import { MeshgateError } from '../../errors.ts';
import { isServiceName } from '../../mesh/registry/instance.ts';
import type { Service } from '../../mesh/service/service.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import type { CompiledRoute } from '../config/snapshot.ts';
import type { HeldCells } from '../observe/request-metrics.ts';
import type { RouteMatch } from '../routing/route-spec.ts';
import { createDoorRoute } from './door-route.ts';

export interface OnDemandServicesOptions {
  readonly toConfig: (name: string) => ServiceConfig;
  /** Made and started. */
  readonly createService: (config: ServiceConfig) => Service;
  /** Where the calls to a service are counted. */
  readonly cellsOf: (service: Service) => HeldCells;
  readonly route: string;
  /** Nobody calls it any more. */
  readonly onRemoved: (service: Service) => void;
  readonly onStopFailed: (error: unknown) => void;
  /** Default 1,024. */
  readonly maxServices?: number;
}

interface Entry {
  readonly service: Service;
  readonly cells: HeldCells;
  readonly match: RouteMatch<CompiledRoute>;
  /** Since the last sweep. */
  isCalled: boolean;
  /** Sweeps without a call, up to now. */
  idleSweeps: number;
}

export const MESH_SUFFIX = '.mesh';
const MAX_SERVICES = 1024;
const SWEEP_MS = 60_000;
/** Ten minutes without a call. */
const MAX_IDLE_SWEEPS = 10;

export function isMeshHost(host: string): boolean {
  return host.endsWith(MESH_SUFFIX) && isServiceName(host.slice(0, -MESH_SUFFIX.length));
}

/** Outlives snapshots, whose business these services are not. */
export class OnDemandServices {
  readonly #options: OnDemandServicesOptions;
  /** By host, in the order they were made. */
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OnDemandServicesOptions) {
    this.#options = options;
  }

  get services(): readonly Service[] {
    return Array.from(this.#entries.values(), ({ service }) => service);
  }

  /**
   * The way to `<service>.mesh`; undefined where the host cannot be one. Throws where more
   * services are being called than are kept.
   */
  find(host: string): RouteMatch<CompiledRoute> | undefined {
    const known = this.#entries.get(host);
    if (known !== undefined) {
      known.isCalled = true;
      return known.match;
    }
    return isMeshHost(host) ? this.#make(host) : undefined;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Lets go of all; resolves when the calls in flight have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const host of this.#entries.keys()) this.#remove(host);
    await Promise.all(this.#stopping);
  }

  /** Once a minute: lets go of those that nobody has called for ten. */
  sweep(): void {
    for (const [host, entry] of this.#entries) {
      entry.idleSweeps = entry.isCalled || isBusy(entry) ? 0 : entry.idleSweeps + 1;
      entry.isCalled = false;
      if (entry.idleSweeps >= MAX_IDLE_SWEEPS) this.#remove(host);
    }
  }

  #make(host: string): RouteMatch<CompiledRoute> {
    const { toConfig, createService, cellsOf, route, maxServices = MAX_SERVICES } = this.#options;
    if (this.#entries.size >= maxServices) this.#makeRoom();
    const config = toConfig(host.slice(0, -MESH_SUFFIX.length));
    const service = createService(config);
    const cells = cellsOf(service);
    const match = createDoorRoute(route, service, config, cells);
    this.#entries.set(host, { service, cells, match, isCalled: true, idleSweeps: 0 });
    return match;
  }

  /** The one that was not called for the longest time; of several, one that does not exist. */
  #makeRoom(): void {
    let leaving: string | undefined;
    let most = -1;
    for (const [host, entry] of this.#entries) {
      if (isBusy(entry)) continue;
      const rank = entry.idleSweeps * 2 + (entry.service.endpoints.length === 0 ? 1 : 0);
      if (rank <= most) continue;
      leaving = host;
      most = rank;
    }
    if (leaving === undefined) {
      throw new MeshgateError('overloaded', {
        status: 503,
        detail: 'More services are called at once than the outbound door keeps.',
      });
    }
    this.#remove(leaving);
  }

  #remove(host: string): void {
    const { service, cells } = this.#entries.get(host)!;
    this.#entries.delete(host);
    cells.release();
    this.#options.onRemoved(service);
    const stopped = service
      .stop()
      .catch(this.#options.onStopFailed)
      .finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}

function isBusy({ service }: Entry): boolean {
  return service.breaker.active > 0;
}
