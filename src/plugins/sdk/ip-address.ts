/** IP addresses as numbers, for whoever compares the address of every request. */

/**
 * IPv4 as an unsigned 32-bit integer, IPv6 as its eight 16-bit groups. An IPv4-mapped IPv6
 * address (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address that it stands for:
 * a dual-stack socket reports IPv4 peers so.
 */
export type IpAddress = number | readonly number[];

const DOT = 46;
const COLON = 58;

/** Parses an address in canonical or any other legal text; undefined for everything else. A zone (`%eth0`) is left out. */
export function parseIpAddress(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text, 0, text.length);
}

/** Four decimal octets, no leading zeros: what some read as octal must not mean two things. */
function parseIpv4(text: string, from: number, to: number): number | undefined {
  let address = 0;
  let octet = -1;
  let octets = 1;
  for (let i = from; i < to; i++) {
    const char = text.charCodeAt(i);
    if (char === DOT) {
      if (octet < 0 || ++octets > 4) return undefined;
      address = address * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = char - 48;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return undefined;
  }
  return octets === 4 && octet >= 0 ? address * 256 + octet : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const groups: number[] = [];
  /** How many groups stand before `::`; −1 without one. */
  let gap = -1;
  let start = 0;
  let i = 0;
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    start = i = 2;
  }
  let group = 0;
  for (; i < end; i++) {
    const char = text.charCodeAt(i);
    if (char === COLON) {
      if (i === start) {
        if (gap >= 0 || groups.length === 0) return undefined;
        gap = groups.length;
      } else {
        groups.push(group);
        group = 0;
      }
      start = i + 1;
      continue;
    }
    if (char === DOT) {
      const tail = parseIpv4(text, start, end);
      if (tail === undefined) return undefined;
      groups.push(tail >>> 16, tail & 0xffff);
      return finish(groups, gap);
    }
    const digit = hexDigit(char);
    if (digit < 0 || i - start >= 4) return undefined;
    group = group * 16 + digit;
  }
  if (start < end) groups.push(group);
  // A single colon at the end promises a group that is not there.
  else if (gap !== groups.length) return undefined;
  return finish(groups, gap);
}

function finish(groups: number[], gap: number): IpAddress | undefined {
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return undefined;
  const missing = 8 - groups.length;
  for (let i = 0; i < missing; i++) groups.splice(gap, 0, 0);
  const mapped =
    groups[5] === 0xffff &&
    groups[0] === 0 &&
    groups[1] === 0 &&
    groups[2] === 0 &&
    groups[3] === 0 &&
    groups[4] === 0;
  return mapped ? groups[6]! * 65_536 + groups[7]! : groups;
}

function hexDigit(char: number): number {
  if (char >= 48 && char <= 57) return char - 48;
  const lower = char | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
