/** A set of address ranges, searched in logarithmic time: a list of many thousands costs a request nothing. */
import { parseIpAddress, type IpAddress } from '../sdk/plugin.ts';

interface Range<Address> {
  readonly first: Address;
  readonly last: Address;
}

type Groups = readonly number[];

const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;

/**
 * The range that a CIDR or a lone address names. Host bits are let be, as `ip route` does.
 * A range of IPv4-mapped addresses is the IPv4 range that it stands for.
 *
 * The list and the peer are read by one parser: ipaddr.js takes `::192.0.2.1` for the IPv4
 * address, and a list that is read in another way than the peer has holes.
 *
 * @throws {TypeError} on anything else; leading zeros and short forms (`10.1`) are no addresses.
 */
export function parseRange(text: string): Range<number> | Range<Groups> {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = host.includes('%') ? undefined : parseIpAddress(host);
  const width = host.includes(':') ? 128 : 32;
  const bits = slash < 0 ? String(width) : text.slice(slash + 1);
  const prefix = Number(bits);
  if (address === undefined || !PREFIX.test(bits) || prefix > width) {
    throw new TypeError(
      `${JSON.stringify(text)} is no address range: write e.g. 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7`,
    );
  }
  if (typeof address !== 'number') return ipv6Range(address, prefix);
  if (width === 32) return ipv4Range(address, prefix);
  return prefix >= 96 ? ipv4Range(address, prefix - 96) : ipv6Range(toMapped(address), prefix);
}

function ipv4Range(address: number, prefix: number): Range<number> {
  const size = 2 ** (32 - prefix);
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

function ipv6Range(address: Groups, prefix: number): Range<Groups> {
  // Each group's bits after the prefix, which a range leaves open.
  const hostBits = address.map((_, i) => 0xffff >> Math.min(16, Math.max(0, prefix - i * 16)));
  return {
    first: address.map((group, i) => group & ~hostBits[i]!),
    last: address.map((group, i) => group | hostBits[i]!),
  };
}

function toMapped(ipv4: number): Groups {
  return [0, 0, 0, 0, 0, 0xffff, ipv4 >>> 16, ipv4 & 0xffff];
}

function compareGroups(a: Groups, b: Groups): number {
  for (let i = 0; i < 8; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

const compareIntegers = (a: number, b: number): number => a - b;

/** Sorted, and with those that overlap made one: the greatest start at or below an address then decides. */
function merge<Address>(
  ranges: readonly Range<Address>[],
  compare: (a: Address, b: Address) => number,
): Range<Address>[] {
  const merged: Range<Address>[] = [];
  for (const range of ranges.toSorted((a, b) => compare(a.first, b.first))) {
    const before = merged.at(-1);
    if (before === undefined || compare(range.first, before.last) > 0) merged.push(range);
    else if (compare(range.last, before.last) > 0) {
      merged[merged.length - 1] = { first: before.first, last: range.last };
    }
  }
  return merged;
}

function contains<Address>(
  ranges: readonly Range<Address>[],
  address: Address,
  compare: (a: Address, b: Address) => number,
): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(ranges[middle]!.first, address) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && compare(address, ranges[low - 1]!.last) <= 0;
}

/**
 * Whether an address lies in one of the ranges.
 *
 * @throws {TypeError} on a text that is neither a CIDR nor an address.
 */
export function createAddressSet(texts: readonly string[]): (address: IpAddress) => boolean {
  const ipv4: Range<number>[] = [];
  const ipv6: Range<Groups>[] = [];
  for (const text of texts) {
    const range = parseRange(text);
    if (isIpv4(range)) ipv4.push(range);
    else ipv6.push(range);
  }
  const integers = merge(ipv4, compareIntegers);
  const groups = merge(ipv6, compareGroups);
  return (address) =>
    typeof address === 'number'
      ? contains(integers, address, compareIntegers)
      : contains(groups, address, compareGroups);
}

function isIpv4(range: Range<number> | Range<Groups>): range is Range<number> {
  return typeof range.first === 'number';
}
