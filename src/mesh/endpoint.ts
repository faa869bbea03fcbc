/** Endpoints: what discovery says of an instance of a service, and the live record the data plane keeps of it. */
import { isIPv6 } from 'node:net';

/** What discovery yields. Two specs with the same `id` speak of the same endpoint. */
export interface EndpointSpec {
  /** Stable: `host:port`, or the registry's id. */
  readonly id: string;
  /** Address or name to connect to. */
  readonly host: string;
  readonly port: number;
  /** Share of the traffic, in proportion to the others'; fractions are fine, 0 is none. */
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly zone?: string;
  /** Lower is preferred, as in SRV records (RFC 2782); default 0. */
  readonly priority?: number;
  /** About to go, or drained by an operator: takes no new requests. Default false. */
  readonly draining?: boolean;
}

/**
 * An endpoint in use. Plain data: whoever changes `weight`, `draining` or `healthy`
 * tells the service's balancer by `refresh()`.
 */
export interface Endpoint {
  readonly id: string;
  /** What discovery said last. */
  spec: EndpointSpec;
  /** The weight in force: the spec's until someone sets another. */
  weight: number;
  /** Requests in flight. */
  active: number;
  /** Takes no new requests; those in flight go on. */
  draining: boolean;
  /** The verdict of active checks and outlier detection. */
  healthy: boolean;
  /** Monotonic milliseconds. */
  readonly joinedAtMs: number;
}

/** `host:port`, with an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function toEndpointId(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

export function createEndpoint(spec: EndpointSpec, nowMs: number): Endpoint {
  return {
    id: spec.id,
    spec,
    weight: spec.weight,
    active: 0,
    draining: spec.draining ?? false,
    healthy: true,
    joinedAtMs: nowMs,
  };
}

export interface EndpointChange {
  /** The new list, in the order of the specs. */
  readonly endpoints: readonly Endpoint[];
  readonly added: readonly Endpoint[];
  /** No longer listed; they may still have requests in flight. */
  readonly removed: readonly Endpoint[];
}

/**
 * Turns a new list of specs into live endpoints. One that stays keeps its record, with the
 * counters and states in it, and gets its new spec in place; a weight or a drain that discovery
 * did not change is left alone, so an operator's override outlives a repeated announcement.
 * An id that moved to another address is another endpoint: its connections lead elsewhere.
 * Of two specs with one id the first counts.
 */
export function reconcileEndpoints(
  current: readonly Endpoint[],
  specs: readonly EndpointSpec[],
  nowMs: number,
): EndpointChange {
  const leaving = new Map(current.map((endpoint) => [endpoint.id, endpoint]));
  const removed: Endpoint[] = [];
  const added: Endpoint[] = [];
  const endpoints = new Map<string, Endpoint>();
  for (const spec of specs) {
    if (endpoints.has(spec.id)) continue;
    const known = leaving.get(spec.id);
    leaving.delete(spec.id);
    if (known !== undefined && known.spec.host === spec.host && known.spec.port === spec.port) {
      if (known.spec.weight !== spec.weight) known.weight = spec.weight;
      if (known.spec.draining !== spec.draining) known.draining = spec.draining ?? false;
      known.spec = spec;
      endpoints.set(spec.id, known);
      continue;
    }
    if (known !== undefined) removed.push(known);
    const endpoint = createEndpoint(spec, nowMs);
    added.push(endpoint);
    endpoints.set(spec.id, endpoint);
  }
  removed.push(...leaving.values());
  return { endpoints: [...endpoints.values()], added, removed };
}
