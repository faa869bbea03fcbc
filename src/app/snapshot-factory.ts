/** What snapshots are made of and share: services, plugins, and the step from one configuration to the next. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { compileSnapshot, type CompiledSnapshot } from '../gateway/config/compile.ts';
import type { Config } from '../gateway/config/config.ts';
import { createService, type ServiceSurroundings } from '../gateway/config/create-service.ts';
import { KeyedPool, type Holding } from '../gateway/config/keyed-pool.ts';
import { createUndeclaredServices } from '../gateway/config/mesh-service.ts';
import type { ServiceConfig } from '../gateway/config/service-config.ts';
import { keyOfService } from '../gateway/config/service-key.ts';
import { OUTBOUND } from '../gateway/doors/door-listeners.ts';
import { OnDemandServices } from '../gateway/doors/on-demand-services.ts';
import { OutboundCells } from '../gateway/doors/outbound-cells.ts';
import type { RequestMetrics } from '../gateway/observe/request-metrics.ts';
import { createPlugin, type PluginEnvironment } from '../gateway/pipeline/create-plugin.ts';
import type { PluginInstance } from '../gateway/pipeline/hooks.ts';
import { reasonOf } from '../gateway/rescue/rescue.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import type { ServiceAuthority } from '../gateway/worker/endpoints/service-authority.ts';
import type { Service } from '../mesh/service/service.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

export interface SnapshotFactoryOptions {
  readonly surroundings: ServiceSurroundings;
  readonly pluginEnvironment: PluginEnvironment;
  readonly requestMetrics: RequestMetrics;
  readonly gatewayMetrics: Pick<GatewayMetrics, 'serviceGone'>;
  /** Workers follow what happens to services here. Default: there are none. */
  readonly authority?: Pick<ServiceAuthority, 'add' | 'remove'> | undefined;
  readonly monotonic: () => number;
  readonly log: Log;
}

export interface SnapshotFactory {
  /**
   * What snapshots have in common goes from one to the next as it is. With `previous` the cost is that
   * of what differs from it; one for other surroundings has none.
   */
  readonly compile: (
    config: Config,
    revision: number,
    hash: string,
    previous?: CompiledSnapshot,
    within?: ServiceSurroundings,
  ) => Promise<CompiledSnapshot>;
  /** Called through the outbound door, and in no configuration. */
  readonly onDemand: OnDemandServices;
  /** Has one of those here that a worker calls; returns how to let go of it. */
  readonly holdUndeclared: (name: string) => () => void;
  /** Those in no configuration: called here, or held. */
  readonly undeclared: () => readonly Service[];
}

export function createSnapshotFactory(options: SnapshotFactoryOptions): SnapshotFactory {
  const {
    surroundings,
    pluginEnvironment,
    requestMetrics,
    gatewayMetrics,
    authority,
    monotonic,
    log,
  } = options;
  const stopFailed = (error: unknown): void => log.warn({ err: error }, 'a service stopped badly');
  // One that is reconfigured is there twice for a while.
  const names = new KeyedPool<string>((name) => {
    requestMetrics.serviceGone(name);
    gatewayMetrics.serviceGone(name);
  });
  const isGone = ({ name }: Service): void => names.release({ key: name, value: name });
  const keys = new Map<Service, string>();
  const services = new KeyedPool<Service>((service) => {
    authority?.remove(keys.get(service)!, service);
    keys.delete(service);
    isGone(service);
    service.stop().catch(stopFailed);
  });
  const plugins = new KeyedPool<PluginInstance>((instance) => {
    const { name, hooks } = instance;
    Promise.try(() => hooks.close?.())
      .catch((error: unknown) => {
        log.warn({ plugin: name, reason: reasonOf(error) }, 'a plugin failed to close');
      })
      .finally(() => instance.release());
  });
  const undeclared = createUndeclaredServices();

  /** Its discovery and health checks begin at once. */
  function startService(config: ServiceConfig, within: ServiceSurroundings): Service {
    const service = createService(config, within);
    names.hold(service.name, () => service.name);
    service.start();
    return service;
  }

  /** As `startService`, for those of the pool. */
  function leadService(config: ServiceConfig, within: ServiceSurroundings): Service {
    const service = startService(config, within);
    const key = keyOfService(config);
    keys.set(service, key);
    authority?.add(key, service);
    return service;
  }

  const held = new Set<Holding<Service>>();
  const { follow } = surroundings;
  const surroundingsOnDemand = {
    ...surroundings,
    follow: follow && ((config: ServiceConfig) => follow(config, true)),
  };
  const onDemand = new OnDemandServices({
    route: OUTBOUND,
    toConfig: (name) => undeclared.discovered(name),
    createService: (config) => startService(config, surroundingsOnDemand),
    onRemoved: isGone,
    cellsOf: (service) =>
      new OutboundCells(service, (route, part) => requestMetrics.cellsOf(route, part)),
    onStopFailed: stopFailed,
  });
  return {
    onDemand,
    holdUndeclared(name) {
      const config = undeclared.discovered(name);
      const holding = services.hold(keyOfService(config), () => leadService(config, surroundings));
      held.add(holding);
      return () => {
        if (held.delete(holding)) services.release(holding);
      };
    },
    undeclared: () => [
      ...new Set([...onDemand.services, ...Array.from(held, ({ value }) => value)]),
    ],
    compile: (config, revision, hash, previous, within = surroundings) =>
      compileSnapshot(
        config,
        { revision, hash },
        {
          services,
          plugins,
          createService: (service) => leadService(service, within),
          createPlugin: (entry, scope) => createPlugin(entry, scope, pluginEnvironment),
          cellsOf: (route, part) => requestMetrics.cellsOf(route, part),
          undeclared,
          onDemand,
          pause: nextTurn,
          monotonic,
        },
        previous,
      ),
  };
}
