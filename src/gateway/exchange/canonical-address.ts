/** One text for one IP address, so that addresses of every source compare. */
import { isIP, SocketAddress } from 'node:net';

/** An IP address as the socket layer would print it; IPv4 in IPv6 becomes IPv4. Anything else stays as it is. */
export function toCanonicalAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const text = new SocketAddress({ address, family: 'ipv6' }).address;
  return text.startsWith('::ffff:') && isIP(text.slice(7)) === 4 ? text.slice(7) : text;
}
