/** From a listener's configuration to what requests see of it and what its lane enforces. */
import type { ListenerConfig } from '../config/listener-config.ts';
import type { ListenerFacts } from '../exchange/connection.ts';
import type { FullLaneLimits } from '../exchange/full-lane/full-lane.ts';

/** `port`: the one it really has. */
export function toFacts(config: ListenerConfig, port: number): ListenerFacts {
  return {
    door: config.door,
    name: config.name,
    port,
    scheme: config.protocol,
    hosts: config.hosts,
    maxBodyBytes: config.limits.maxBodyBytes,
    maxTargetBytes: config.limits.maxUrlBytes,
    isCut: false,
  };
}

export function toLaneLimits({ limits }: ListenerConfig): FullLaneLimits {
  return {
    maxHeaderFields: limits.maxHeaderFields,
    maxHeaderBytes: limits.maxHeaderBytes,
    maxTargetBytes: limits.maxUrlBytes,
    headerTimeoutMs: limits.headerTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    minBodyRate: limits.minBodyRate,
    maxRequestsPerConnection: limits.maxRequestsPerConnection,
    maxStreams: limits.maxStreams,
  };
}

/** Whether two pieces of configuration, which are plain data, say the same. */
export function isSameConfig(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
