/** Who the client is: the nearest address that no trusted proxy vouches for. */
import { isIP } from 'node:net';
import type { Peer } from '../../plugins/sdk/exchange.ts';
import { toCanonicalAddress } from './canonical-address.ts';
import type { Connection } from './connection.ts';

/**
 * The peer of an exchange. X-Forwarded-For is read from the right: each hop is believed as
 * long as the one that reported it is a trusted proxy, so a client cannot put itself in front.
 */
export function toPeer(
  connection: Connection,
  forwardedFor: string | undefined,
  isTrustedProxy: (address: string) => boolean,
): Peer {
  const { address } = connection;
  // Frozen, since requests share it.
  if (forwardedFor === undefined) {
    return (connection.peer ??= Object.freeze(toSeen(connection, address)));
  }
  return toSeen(connection, nearestUntrusted(address, forwardedFor, isTrustedProxy));
}

function toSeen({ address, port, protocol, tls }: Connection, ip: string): Peer {
  return { ip, address, port, protocol, tls };
}

function nearestUntrusted(
  address: string,
  forwardedFor: string,
  isTrustedProxy: (address: string) => boolean,
): string {
  let client = address;
  const hops = forwardedFor.split(',');
  for (let i = hops.length - 1; i >= 0 && isTrustedProxy(client); i--) {
    const hop = parseHop(hops[i]!.trim());
    // A hop that is no address (`unknown`, an obfuscated name) ends what can be known.
    if (hop === undefined) break;
    client = hop;
  }
  return client;
}

/** Its address in canonical text, without port and brackets. */
function parseHop(text: string): string | undefined {
  let bare = text;
  if (bare.startsWith('[')) bare = bare.slice(1, bare.indexOf(']'));
  else if (bare.indexOf(':') === bare.lastIndexOf(':')) bare = bare.split(':')[0]!;
  // Strictly: other parsers read `7` and `0177.1` as addresses too, and not as the same ones.
  return isIP(bare) === 0 ? undefined : toCanonicalAddress(bare);
}
