/** Addresses and networks as they are written in a configuration. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { AddressConfig } from '../config.ts';

/** Why a text is not what it should be. */
export class Malformed {
  readonly message: string;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    this.message = message;
    this.hint = hint;
  }
}

const MAX_PORT = 65_535;
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*$/;
const DOTTED_NUMBERS = /^[0-9.]+$/;

/** `host:port`; `minPort` 0 admits a port that the system chooses. */
export function parseAddress(text: string, minPort: 0 | 1): AddressConfig | Malformed {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (port < minPort || port > MAX_PORT) {
    return new Malformed(`the port must be between ${minPort} and ${MAX_PORT}`);
  }
  const written = text.slice(0, colon);
  const host = written.startsWith('[') ? written.slice(1, -1) : written;
  if (host !== written) {
    return isIPv6(host)
      ? { host: ipaddr.parse(host).toString(), port }
      : new Malformed('no IPv6 address stands between the brackets');
  }
  const hostFault = hostNameFault(host);
  return hostFault ?? { host, port };
}

/** Undefined for an IPv4 address or a host name. */
export function hostNameFault(host: string): Malformed | undefined {
  if (isIPv4(host)) return undefined;
  // `10.0.0.256` would be looked up as a name.
  if (DOTTED_NUMBERS.test(host)) return new Malformed('is no valid IPv4 address');
  return HOST_NAME.test(host) ? undefined : new Malformed('is no valid host name');
}

/** A range in canonical text; a lone address is a range of one. */
export function parseNetwork(text: string): string | Malformed {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) {
    return new Malformed(
      'is no IP address or network',
      'write it like 10.0.0.0/8 or 2001:db8::/32',
    );
  }
  const longest = family === 4 ? 32 : 128;
  const bits = length === undefined ? longest : Number(length);
  if (length !== undefined && (!/^[0-9]{1,3}$/.test(length) || bits > longest)) {
    return new Malformed(`the prefix length must be between 0 and ${longest}`);
  }
  const range = `${address}/${bits}`;
  const network =
    family === 4
      ? ipaddr.IPv4.networkAddressFromCIDR(range)
      : ipaddr.IPv6.networkAddressFromCIDR(range);
  return `${network.toString()}/${bits}`;
}
