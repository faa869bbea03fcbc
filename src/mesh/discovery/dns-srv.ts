/** SRV records to endpoints: priorities, weights and the addresses of their targets (RFC 2782). */
import { toEndpointId, type EndpointSpec } from '../endpoint.ts';
import {
  DEFAULT_TTL_S,
  lookUpAddresses,
  noRecords,
  type Addresses,
  type DnsResolver,
  type SrvTarget,
  type SystemLookup,
} from './dns-lookup.ts';

/** Addresses of each target as last known; kept by the caller from lookup to lookup. */
export type TargetCache = Map<string, Addresses>;

export interface SrvLookup {
  readonly endpoints: readonly EndpointSpec[];
  readonly ttlSeconds: number;
  /** Some target could not be resolved; its last known addresses stand in, if there are any. */
  readonly failure: unknown;
}

/** Beside positive weights, RFC 2782 wants 0 chosen with "a very small chance", not never. */
const WEIGHT_OF_ZERO = 0.01;

/**
 * The shares of a priority's records. All zero means that nobody cares: all alike. A target's
 * share is split over its addresses, since the weight belongs to the target.
 */
function shareOf(target: SrvTarget, targets: readonly SrvTarget[], addresses: number): number {
  const peers = targets.filter(({ priority }) => priority === target.priority);
  const weight = peers.every((peer) => peer.weight === 0) ? 1 : target.weight || WEIGHT_OF_ZERO;
  return weight / addresses;
}

/**
 * One family a target, IPv4 first: a target with both has two addresses for one instance,
 * and would count double.
 */
async function lookUpTarget(
  name: string,
  resolver: DnsResolver,
  system: SystemLookup,
): Promise<Addresses> {
  try {
    return await lookUpAddresses(name, 4, resolver, system);
  } catch (error) {
    try {
      return await lookUpAddresses(name, 6, resolver, system);
    } catch {
      throw error;
    }
  }
}

/**
 * Rejects where no target has an address. The TTL is the addresses' shortest and 30 s at
 * most: node does not tell that of the SRV records.
 */
export async function lookUpSrv(
  name: string,
  metadata: Readonly<Record<string, string>>,
  resolver: DnsResolver,
  system: SystemLookup,
  cache: TargetCache,
): Promise<SrvLookup> {
  const records = await resolver.resolveSrv(name);
  // A lone "." says that the service is not offered here.
  const targets = records.filter((record) => record.name !== '' && record.name !== '.');
  if (targets.length === 0) throw noRecords(name);

  let failure: unknown;
  const names = [...new Set(targets.map((target) => target.name))];
  await Promise.all(
    names.map(async (target) => {
      try {
        cache.set(target, await lookUpTarget(target, resolver, system));
      } catch (error) {
        failure = error;
      }
    }),
  );
  for (const known of cache.keys()) {
    if (!names.includes(known)) cache.delete(known);
  }
  if (cache.size === 0) throw failure;

  let ttlSeconds = DEFAULT_TTL_S;
  const endpoints: EndpointSpec[] = [];
  for (const target of targets) {
    const found = cache.get(target.name);
    if (found === undefined) continue;
    ttlSeconds = Math.min(ttlSeconds, found.ttlSeconds);
    const weight = shareOf(target, targets, found.addresses.length);
    for (const host of found.addresses) {
      const id = toEndpointId(host, target.port);
      const { port, priority } = target;
      endpoints.push({ id, host, port, weight, metadata, priority });
    }
  }
  return { endpoints, ttlSeconds, failure };
}
