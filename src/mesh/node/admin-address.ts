/** Where a node's admin API is, as the node tells the others, and who of them can reach it. */
import { hash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import type { Json } from '../backplane/backplane.ts';
import { toEndpointId } from '../endpoint.ts';
import { isObject } from '../backplane/json-object.ts';
import { findAdvertisedHost, isAnywhere, type Destination } from './advertised-host.ts';

export interface AdminAddress {
  /** `host:port`; an IPv6 address in brackets. */
  readonly address: string;
  /**
   * Undefined: every node can reach it. Else it is on a loopback device, and only those who see the
   * same one can.
   */
  readonly loopback: string | undefined;
}

const ADDRESS = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$/;

/** `bound` is what the system gave; `towards` is where the backplane is, if not on this machine alone. */
export async function toAdminAddress(
  bound: Destination,
  towards: Destination | undefined,
  loopback: string,
): Promise<AdminAddress> {
  const { port } = bound;
  let { host } = bound;
  if (isAnywhere(host)) {
    host = towards === undefined ? '127.0.0.1' : await findAdvertisedHost(towards);
  }
  const address = toEndpointId(host, port);
  return { address, loopback: isLoopback(host) ? loopback : undefined };
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** For the node's description. */
export function toAdminValue({ address, loopback }: AdminAddress): Json {
  return { address, ...(loopback !== undefined && { loopback }) };
}

/** Of a node's description; undefined where its admin API is closed, or it is too old to tell. */
export function parseAdminAddress(description: unknown): AdminAddress | undefined {
  const admin = isObject(description) ? description['admin'] : undefined;
  if (!isObject(admin)) return undefined;
  const { address, loopback } = admin;
  if (typeof address !== 'string' || !ADDRESS.test(address) || !URL.canParse(`http://${address}`))
    return undefined;
  return { address, loopback: typeof loopback === 'string' ? loopback : undefined };
}

/**
 * Names the loopback device that this process sees: two containers of one machine have one each,
 * and those of a pod share theirs. On other systems than Linux the host name has to do.
 */
export function readLoopbackId(): string {
  return hash('sha256', readNetworkPlace(), 'hex').slice(0, 16);
}

function readNetworkPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/net')}`;
  } catch {
    return hostname();
  }
}
