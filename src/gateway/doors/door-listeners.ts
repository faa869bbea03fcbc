/** The east-west doors of a node, as listeners beside those of the file. */
import type { Config } from '../config/config.ts';
import type { ListenerConfig, ListenerLimits, MeshDoor } from '../config/listener-config.ts';
import type { RegistrationConfig } from '../config/mesh-config.ts';

/** Names of listeners in a file have no colon. */
export const OUTBOUND = 'mesh:outbound';

/**
 * Wider than an edge listener's: what passed there has a few fields more by now, and a peer's one
 * connection has the calls of all its clients. Bodies are the edge's, or the application's, to
 * limit.
 */
const LIMITS: ListenerLimits = {
  maxHeaderBytes: 64 * 1024,
  maxHeaderFields: 200,
  maxUrlBytes: 16 * 1024,
  maxBodyBytes: 0,
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  minBodyRate: 0,
  maxConnections: 10_000,
  maxStreams: 1000,
  maxRequestsPerConnection: 0,
  drainMs: 30_000,
};

/** A registration with a door of its own. */
export interface InboundDoor {
  readonly registration: RegistrationConfig;
  readonly listener: ListenerConfig;
}

export function inboundDoorsOf({ registrations }: Pick<Config, 'registrations'>): InboundDoor[] {
  const named = new Set<string>();
  const doors: InboundDoor[] = [];
  for (const registration of registrations) {
    const { service, inbound, id, application } = registration;
    if (inbound === undefined) continue;
    let name = `mesh:inbound:${service}`;
    const instance = id ?? `${application.host}:${application.port}`;
    const identity = `${name}:${instance}`;
    // Several instances of one service beside one node.
    if (named.has(name)) name = identity;
    named.add(name);
    const listener = { ...toListener('inbound', name, inbound), identity };
    doors.push({ registration, listener });
  }
  return doors;
}

function outboundDoorOf({ outbound }: Pick<Config, 'outbound'>): ListenerConfig | undefined {
  return outbound && toListener('outbound', OUTBOUND, outbound);
}

/** Everything that a node listens on for requests. */
export function allListenersOf(config: Config): readonly ListenerConfig[] {
  const outbound = outboundDoorOf(config);
  return [
    ...config.listeners,
    ...inboundDoorsOf(config).map(({ listener }) => listener),
    ...(outbound === undefined ? [] : [outbound]),
  ];
}

function toListener(
  door: MeshDoor,
  name: string,
  { host, port }: Pick<ListenerConfig, 'host' | 'port'>,
): ListenerConfig {
  return {
    door,
    name,
    host,
    port,
    protocol: 'http',
    hosts: [],
    redirectHttps: undefined,
    proxyProtocol: false,
    lane: 'auto',
    limits: LIMITS,
    tls: undefined,
  };
}
