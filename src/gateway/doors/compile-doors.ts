/** Configuration → what the mesh doors do with a request. */
import type { Service } from '../../mesh/service/service.ts';
import type { Config } from '../config/config.ts';
import type { UndeclaredServices } from '../config/mesh-service.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import type { CompiledRoute, ListenerPlan } from '../config/snapshot.ts';
import type { RequestMetrics } from '../observe/request-metrics.ts';
import type { RouteMatch } from '../routing/route-spec.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { createDoorRoute } from './door-route.ts';
import { inboundDoorsOf, OUTBOUND } from './door-listeners.ts';
import { InboundTable } from './inbound-table.ts';
import { MESH_SUFFIX, type OnDemandServices } from './on-demand-services.ts';
import { OutboundCells } from './outbound-cells.ts';
import { OutboundTable } from './outbound-table.ts';

export interface DoorCompiler {
  /** Held by the snapshot that is being made. */
  readonly hold: (config: ServiceConfig) => Service;
  readonly undeclared: UndeclaredServices;
  readonly onDemand: Pick<OnDemandServices, 'find'>;
  readonly cellsOf: RequestMetrics['cellsOf'];
}

/** Of the services that only `outbound.services` names. */
export function allowedServicesOf(
  { outbound, services }: Config,
  undeclared: UndeclaredServices,
): readonly ServiceConfig[] {
  const declared = new Set(services.map(({ name }) => name));
  const allowed = outbound?.services ?? [];
  return allowed.filter((name) => !declared.has(name)).map((name) => undeclared.discovered(name));
}

/** `services`: those of the file, and those of `allowedServicesOf`. */
export function compileDoors(
  config: Config,
  services: readonly ServiceConfig[],
  compiler: DoorCompiler,
): [name: string, plan: ListenerPlan][] {
  const plans: [string, ListenerPlan][] = [];
  for (const { listener, registration } of inboundDoorsOf(config)) {
    const local = compiler.undeclared.local(registration);
    const cells = compiler.cellsOf(listener.name);
    const match = createDoorRoute(listener.name, compiler.hold(local), local, cells);
    plans.push([listener.name, toPlan(new InboundTable(match))]);
  }
  if (config.outbound !== undefined) {
    const { services: allowed } = config.outbound;
    const byHost = new Map<string, RouteMatch<CompiledRoute>>();
    for (const one of services) {
      if (allowed !== undefined && !allowed.includes(one.name)) continue;
      const service = compiler.hold(one);
      const cells = new OutboundCells(service, compiler.cellsOf);
      const host = `${one.name.toLowerCase()}${MESH_SUFFIX}`;
      byHost.set(host, createDoorRoute(OUTBOUND, service, one, cells));
    }
    const others = allowed === undefined ? compiler.onDemand : undefined;
    plans.push([OUTBOUND, toPlan(new OutboundTable(byHost, others))]);
  }
  return plans;
}

function toPlan(table: RouteTable<CompiledRoute>): ListenerPlan {
  return { table, ownerOf: undefined, redirectHttps: undefined };
}
