/** What a service is known by in the pool that snapshots share: all of its configuration. */
import type { ServiceConfig } from './service-config.ts';

/** The same in every process of a node. */
export function keyOfService(config: ServiceConfig): string {
  return JSON.stringify(config);
}
