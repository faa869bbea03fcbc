/** Whose forwarding headers are believed: the addresses in `trustedProxies`. */
import { BlockList, isIPv6 } from 'node:net';

/** Answers for one configuration; replaced whole by a reload. */
export interface TrustedProxies {
  readonly trusts: (address: string) => boolean;
  /** CIDR ranges in canonical text. */
  update(ranges: readonly string[]): void;
}

export function createTrustedProxies(ranges: readonly string[]): TrustedProxies {
  let list = toBlockList(ranges);
  return {
    trusts: (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'),
    update: (next) => (list = toBlockList(next)),
  };
}

function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, bits] = range.split('/') as [string, string];
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}
