/** Where snapshots have from what they hold. */
import type { Service } from '../../mesh/service/service.ts';
import type { RequestMetrics } from '../observe/request-metrics.ts';
import type { PluginInstance } from '../pipeline/hooks.ts';
import type { PluginEntry } from './config.ts';
import type { Holding, KeyedPool } from './keyed-pool.ts';
import type { ServiceConfig } from './service-config.ts';

export interface HoldingSources {
  /** Shared by all snapshots of the process. */
  readonly services: KeyedPool<Service>;
  readonly plugins: KeyedPool<PluginInstance>;
  readonly createService: (config: ServiceConfig) => Service;
  /** `scope`: the route the plugin stands on; undefined for one on every route. */
  readonly createPlugin: (entry: PluginEntry, scope: string | undefined) => PluginInstance;
  readonly cellsOf: RequestMetrics['cellsOf'];
}

export function holdPlugin(
  entry: PluginEntry,
  scope: string | undefined,
  { plugins, createPlugin }: HoldingSources,
): Holding<PluginInstance> {
  const key = JSON.stringify([entry.name, scope, entry.config]);
  return plugins.hold(key, () => createPlugin(entry, scope));
}
