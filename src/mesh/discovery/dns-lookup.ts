/** Looks names up: addresses with their TTL from DNS, or from the system for names DNS does not know. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** The part of `node:dns/promises` Resolver that is used. */
export interface DnsResolver {
  resolve4(name: string, options: { readonly ttl: true }): Promise<AddressRecord[]>;
  resolve6(name: string, options: { readonly ttl: true }): Promise<AddressRecord[]>;
  resolveSrv(name: string): Promise<SrvTarget[]>;
  /** Ends every query of this resolver with ECANCELLED. */
  cancel(): void;
}

export interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface SrvTarget {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Addresses of one family by getaddrinfo: /etc/hosts, search domains and all. */
export type SystemLookup = (name: string, family: 4 | 6) => Promise<readonly string[]>;

export interface Addresses {
  /** At least one, without doubles. */
  readonly addresses: readonly string[];
  /** The shortest of the records'. */
  readonly ttlSeconds: number;
}

/** For answers that come without a TTL: the system's, and SRV records as node gives them. */
export const DEFAULT_TTL_S = 30;

/** Why DNS may not know a name that the system does: no such name, or no server at all. */
const ASK_SYSTEM_ON = new Set(['ENOTFOUND', 'ECONNREFUSED']);

export async function systemLookup(name: string, family: 4 | 6): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, family });
  return found.map(({ address }) => address);
}

export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** A lookup that succeeded and found nothing; `ENODATA` is what c-ares says for it. */
export function noRecords(name: string): Error {
  return Object.assign(new Error(`no usable records for ${name}`), { code: 'ENODATA' });
}

/** RFC 6761 §6.3: never a question for DNS. */
function isLocalhost(name: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(name);
}

async function askSystem(name: string, family: 4 | 6, system: SystemLookup): Promise<Addresses> {
  const addresses = [...new Set(await system(name, family))];
  if (addresses.length === 0) throw noRecords(name);
  return { addresses, ttlSeconds: DEFAULT_TTL_S };
}

/** Rejects with the resolver's or the system's error, or ENODATA; never resolves to nothing. */
export async function lookUpAddresses(
  name: string,
  family: 4 | 6,
  resolver: DnsResolver,
  system: SystemLookup,
): Promise<Addresses> {
  if (isIP(name) !== 0) return { addresses: [name], ttlSeconds: Infinity };
  if (isLocalhost(name)) return askSystem(name, family, system);
  let records: readonly AddressRecord[];
  try {
    records = await (family === 4
      ? resolver.resolve4(name, { ttl: true })
      : resolver.resolve6(name, { ttl: true }));
  } catch (error) {
    if (!ASK_SYSTEM_ON.has(errorCodeOf(error))) throw error;
    return askSystem(name, family, system);
  }
  if (records.length === 0) throw noRecords(name);
  return {
    addresses: [...new Set(records.map(({ address }) => address))],
    ttlSeconds: records.reduce((least, { ttl }) => Math.min(least, ttl), Infinity),
  };
}
