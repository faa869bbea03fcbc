/** Which Host the admin API answers to: a page of a stranger may make a browser ask for its own name here (DNS rebinding). */
import { isIP } from 'node:net';

/** `host`, `host:port` or `[v6]:port`, as RFC 9110 §7.2 has it. */
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@[\]]+))(?::[0-9]{1,5})?$/;

/**
 * A name that is rebound is one that a stranger could register: loopback's are not, nor is the
 * configured one, nor the address itself that the connection came in by. The port may be a
 * tunnel's and is left alone.
 */
export function isOwnHost(
  field: string | undefined,
  configuredHost: string,
  localAddress: string | undefined,
): boolean {
  const match = HOST.exec(field ?? '');
  if (match === null) return false;
  const host = (match[1] ?? match[2]!).toLowerCase().replace(/\.$/, '');
  if (host === 'localhost' || host === '::1') return true;
  if (isIP(host) === 4 && host.startsWith('127.')) return true;
  return host === configuredHost.toLowerCase() || host === plain(localAddress);
}

/** A socket that takes both families shows IPv4 as `::ffff:10.0.0.1`. */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}
