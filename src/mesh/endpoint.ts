/** Endpoints: what discovery says of an instance of a service, and the live record the data plane keeps of it. */
import { isIPv6 } from 'node:net';
import type { RecentLatency } from './resilience/recent-latency.ts';

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
  /** Another one with each start of the instance, where discovery knows. */
  readonly incarnation?: string;
}

/**
 * An endpoint in use. Plain data: whoever changes `weight`, `draining`, `healthy` or `ejected`
 * tells its service by `refresh()`.
 */
export interface Endpoint {
  readonly id: string;
  /** What discovery said last. */
  spec: EndpointSpec;
  /** The weight in force: the spec's, which is discovery's or an operator's, times `factor`. */
  weight: number;
  /** What the mesh makes of the spec's weight by how well it serves, 0.1 to 1. Set by `setFactor`. */
  factor: number;
  /** What policies go by: `weight`, less what slow start holds back. Set by the balancer. */
  effectiveWeight: number;
  /** Requests in flight. */
  active: number;
  /** Takes no new requests; those in flight go on. */
  draining: boolean;
  /** The verdict of active checks; true where there are none. Set by `setHealth`. */
  healthy: boolean;
  /** Put aside by outlier detection. Set by `setHealth`. */
  ejected: boolean;
  /** It is so on the word of other nodes. */
  ejectedByQuorum: boolean;
  /** Discovery lists it no longer, but it passes its checks. */
  gone: boolean;
  /** Since when it is healthy and not ejected; monotonic milliseconds. */
  wellSinceMs: number;
  /** Monotonic milliseconds. */
  readonly joinedAtMs: number;
  readonly seen: EndpointObservations;
}

/** What this node saw of an endpoint, try by try. */
export interface EndpointObservations {
  /** Time to the first byte as a peak EWMA, and when it was last sampled; milliseconds, monotonic. */
  latencyMs: number;
  sampledAtMs: number;
  /** Time to the answer's head; undefined where nobody hedges by it, or nothing was seen. */
  recentLatency: RecentLatency | undefined;
  /** In a row, up to now. */
  consecutive5xx: number;
  consecutiveGatewayFailure: number;
  consecutiveLocalOriginFailure: number;
  /** Since the last sweep of outlier detection. */
  requests: number;
  failures: number;
  /** Ejections that still lengthen the next one. */
  ejections: number;
  /** Of the last ejection or its end; monotonic milliseconds. */
  ejectionChangedAtMs: number;
  /** Ever since: tries with an outcome the endpoint is to answer for, and the failed ones of them. */
  tries: number;
  failedTries: number;
  /** Ever since: answers whose time to the first byte was taken, and the sum of these; milliseconds. */
  timedAnswers: number;
  answerMs: number;
  /** What an answer took lately, on average; 0 before anybody knows. */
  usualAnswerMs: number;
  /** In a worker: answers that are no failures, and that the supervisor has not been told of. */
  untoldAnswers: number;
  /** In a worker: the supervisor's number for the endpoint; 0 where it has none, or has it no more. */
  toldAs: number;
}

/** The latency that is taken for granted before there is a sample (Finagle, Linkerd). */
const DEFAULT_LATENCY_MS = 30;

/** Whether it may be chosen for its health. */
export function isWell(endpoint: Endpoint): boolean {
  return endpoint.healthy && !endpoint.ejected;
}

/** Changes what is given, and notes when the endpoint became well. */
export function setHealth(
  endpoint: Endpoint,
  change: { readonly healthy?: boolean; readonly ejected?: boolean },
  nowMs: number,
): void {
  const before = isWell(endpoint);
  endpoint.healthy = change.healthy ?? endpoint.healthy;
  endpoint.ejected = change.ejected ?? endpoint.ejected;
  if (!before && isWell(endpoint)) endpoint.wellSinceMs = nowMs;
}

/** The spec's weight stays what it is; tell the service by `refresh()`. */
export function setFactor(endpoint: Endpoint, factor: number): void {
  endpoint.factor = factor;
  endpoint.weight = endpoint.spec.weight * factor;
}

/** `spec.zone`, or what the metadata say of it. */
export function zoneOf({ zone, metadata }: EndpointSpec): string | undefined {
  return zone ?? (Object.hasOwn(metadata, 'zone') ? metadata['zone'] : undefined);
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
    factor: 1,
    effectiveWeight: spec.weight,
    active: 0,
    draining: spec.draining ?? false,
    healthy: true,
    ejected: false,
    ejectedByQuorum: false,
    gone: false,
    wellSinceMs: nowMs,
    joinedAtMs: nowMs,
    seen: {
      latencyMs: DEFAULT_LATENCY_MS,
      sampledAtMs: nowMs,
      recentLatency: undefined,
      consecutive5xx: 0,
      consecutiveGatewayFailure: 0,
      consecutiveLocalOriginFailure: 0,
      requests: 0,
      failures: 0,
      ejections: 0,
      ejectionChangedAtMs: nowMs,
      tries: 0,
      failedTries: 0,
      timedAnswers: 0,
      answerMs: 0,
      usualAnswerMs: 0,
      untoldAnswers: 0,
      toldAs: 0,
    },
  };
}

/** Whether two specs with the same id speak of the same start of the same instance. */
export function isSameInstance(known: EndpointSpec, spec: EndpointSpec): boolean {
  return (
    known.host === spec.host && known.port === spec.port && known.incarnation === spec.incarnation
  );
}

export interface EndpointChange {
  /** The new list, in the order of the specs. */
  readonly endpoints: readonly Endpoint[];
  readonly added: readonly Endpoint[];
  /** No longer in the list; they may still have requests in flight. */
  readonly removed: readonly Endpoint[];
}

/**
 * Turns a new list of specs into live endpoints. One that stays keeps its record, with the
 * counters and states in it, and gets its new spec in place; a weight or a drain that discovery
 * did not change is left alone, so an operator's override outlives a repeated announcement.
 * An id that moved to another address is another endpoint: its connections lead elsewhere. So is
 * one that was started anew: what its predecessor did is not held against it.
 * Of two specs with one id the first counts. One that is listed no longer but that `outlives`
 * holds of stays, at the end and `gone`: discovery and checks have to agree (Envoy's 2×2 rule).
 */
export function reconcileEndpoints(
  current: readonly Endpoint[],
  specs: readonly EndpointSpec[],
  nowMs: number,
  outlives: (endpoint: Endpoint) => boolean = () => false,
): EndpointChange {
  const leaving = new Map(current.map((endpoint) => [endpoint.id, endpoint]));
  const removed: Endpoint[] = [];
  const added: Endpoint[] = [];
  const endpoints = new Map<string, Endpoint>();
  for (const spec of specs) {
    if (endpoints.has(spec.id)) continue;
    const known = leaving.get(spec.id);
    leaving.delete(spec.id);
    if (known !== undefined && isSameInstance(known.spec, spec)) {
      if (known.spec.weight !== spec.weight) known.weight = spec.weight * known.factor;
      if (known.spec.draining !== spec.draining) known.draining = spec.draining ?? false;
      known.spec = spec;
      known.gone = false;
      endpoints.set(spec.id, known);
      continue;
    }
    if (known !== undefined) removed.push(known);
    const endpoint = createEndpoint(spec, nowMs);
    added.push(endpoint);
    endpoints.set(spec.id, endpoint);
  }
  for (const endpoint of leaving.values()) {
    endpoint.gone = outlives(endpoint);
    if (endpoint.gone) endpoints.set(endpoint.id, endpoint);
    else removed.push(endpoint);
  }
  return { endpoints: [...endpoints.values()], added, removed };
}
