/** Parses the Host field or :authority (RFC 9110 §7.2, RFC 3986 §3.2.2). */
import { isIPv6 } from 'node:net';
import { codeAt, cut } from '../../mesh/transport/octets.ts';
import { Recent } from '../../mesh/transport/recent.ts';

export interface Authority {
  /** Lower case, without port and trailing dot; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/** A DNS name has no more, and a bound keeps the search for wildcards short. */
const MAX_HOST_LENGTH = 255;

const UPPER_CASE = 1;
const ALLOWED = 2;

/**
 * What a host may be made of: unreserved characters and sub-delimiters of RFC 3986, less two
 * things it allows. Escapes, since `ex%61mple.com` is one host to a reader that decodes and
 * another to one that does not; and the comma, by which a careless hop joins two Host fields.
 */
const HOST_CHARACTER = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+;=") {
  HOST_CHARACTER[character.charCodeAt(0)] = ALLOWED;
}
for (let code = 0x41; code <= 0x5a; code++) HOST_CHARACTER[code] = UPPER_CASE;

/** Most requests name the same few. */
const recent = new Recent<Authority>();

const EMPTY: Authority = Object.freeze({ host: '', port: undefined });

/**
 * Undefined where `text` is no host with an optional port: userinfo, escapes, empty labels and
 * ports above 65535 included. An empty text is a host only where `allowEmpty` says so.
 */
export function parseAuthority(text: string, allowEmpty = false): Authority | undefined {
  if (text === '') return allowEmpty ? EMPTY : undefined;
  const known = recent.get(text);
  if (known !== undefined) return known;
  const authority = codeAt(text, 0) === 0x5b ? parseIpLiteral(text) : parseName(text);
  if (authority !== undefined) recent.set(text, authority);
  return authority;
}

function parseName(text: string): Authority | undefined {
  let upperCase = false;
  let labelStart = 0;
  let i = 0;
  for (; i < text.length; i++) {
    const code = codeAt(text, i);
    if (code === 0x3a) break;
    const kind = HOST_CHARACTER[code];
    if (kind === UPPER_CASE) upperCase = true;
    else if (kind !== ALLOWED) return undefined;
    if (code === 0x2e) {
      if (i === labelStart) return undefined;
      labelStart = i + 1;
    }
  }
  const end = labelStart === i ? i - 1 : i;
  if (end <= 0 || end > MAX_HOST_LENGTH) return undefined;
  const port = parsePort(text, i);
  if (port === -1) return undefined;
  const host = end === text.length ? text : cut(text, 0, end);
  return { host: upperCase ? host.toLowerCase() : host, port };
}

function parseIpLiteral(text: string): Authority | undefined {
  const end = text.indexOf(']');
  const address = cut(text, 1, end);
  // A zone has no meaning beyond the sender's own machine (RFC 6874 §4).
  if (end === -1 || address.includes('%') || !isIPv6(address)) return undefined;
  const port = parsePort(text, end + 1);
  return port === -1 ? undefined : { host: cut(text, 0, end + 1).toLowerCase(), port };
}

/** The port that `:digits` from `i` to the end names; undefined where there is none; -1 where it is wrong. */
function parsePort(text: string, i: number): number | undefined {
  if (i === text.length) return undefined;
  if (codeAt(text, i) !== 0x3a || text.length - i > 6) return -1;
  // RFC 3986 §3.2.3 allows a colon without digits.
  if (i + 1 === text.length) return undefined;
  let port = 0;
  for (let at = i + 1; at < text.length; at++) {
    const digit = codeAt(text, at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port > 65_535 ? -1 : port;
}
