/** What snapshots are made of and share: services, plugins, and the step from one configuration to the next. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { compileSnapshot, type CompiledSnapshot } from '../gateway/config/compile.ts';
import type { Config } from '../gateway/config/config.ts';
import { createService, type ServiceSurroundings } from '../gateway/config/create-service.ts';
import { KeyedPool } from '../gateway/config/keyed-pool.ts';
import { createUndeclaredServices } from '../gateway/config/mesh-service.ts';
import type { ServiceConfig } from '../gateway/config/service-config.ts';
import { OUTBOUND } from '../gateway/doors/door-listeners.ts';
import { OnDemandServices } from '../gateway/doors/on-demand-services.ts';
import { OutboundCells } from '../gateway/doors/outbound-cells.ts';
import type { RequestMetrics } from '../gateway/observe/request-metrics.ts';
import { createPlugin, type PluginEnvironment } from '../gateway/pipeline/create-plugin.ts';
import type { PluginInstance } from '../gateway/pipeline/hooks.ts';
import { reasonOf } from '../gateway/rescue/rescue.ts';
import type { GatewayMetrics } from '../gateway/status/gateway-metrics.ts';
import type { Service } from '../mesh/service/service.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

export interface SnapshotFactoryOptions {
  readonly surroundings: ServiceSurroundings;
  readonly pluginEnvironment: PluginEnvironment;
  readonly requestMetrics: RequestMetrics;
  readonly gatewayMetrics: Pick<GatewayMetrics, 'serviceGone'>;
  readonly monotonic: () => number;
  readonly log: Log;
}

export interface SnapshotFactory {
  /** What snapshots have in common goes from one to the next as it is. */
  readonly compile: (
    config: Config,
    revision: number,
    hash: string,
    within?: ServiceSurroundings,
  ) => Promise<CompiledSnapshot>;
  /** Called through the outbound door, and in no configuration. */
  readonly onDemand: OnDemandServices;
}

export function createSnapshotFactory(options: SnapshotFactoryOptions): SnapshotFactory {
  const { surroundings, pluginEnvironment, requestMetrics, gatewayMetrics, monotonic, log } =
    options;
  const stopFailed = (error: unknown): void => log.warn({ err: error }, 'a service stopped badly');
  // One that is reconfigured is there twice for a while.
  const names = new KeyedPool<string>((name) => {
    requestMetrics.serviceGone(name);
    gatewayMetrics.serviceGone(name);
  });
  const isGone = ({ name }: Service): void => names.release({ key: name, value: name });
  const services = new KeyedPool<Service>((service) => {
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

  const onDemand = new OnDemandServices({
    route: OUTBOUND,
    toConfig: (name) => undeclared.discovered(name),
    createService: (config) => startService(config, surroundings),
    onRemoved: isGone,
    cellsOf: (service) =>
      new OutboundCells(service, (route, part) => requestMetrics.cellsOf(route, part)),
    onStopFailed: stopFailed,
  });
  return {
    onDemand,
    compile: (config, revision, hash, within = surroundings) =>
      compileSnapshot(
        config,
        { revision, hash },
        {
          services,
          plugins,
          createService: (service) => startService(service, within),
          createPlugin: (entry, scope) => createPlugin(entry, scope, pluginEnvironment),
          cellsOf: (route, part) => requestMetrics.cellsOf(route, part),
          undeclared,
          onDemand,
          pause: nextTurn,
          monotonic,
        },
      ),
  };
}
