/** Whom a rate limit counts: the key of an exchange, by consumer, address, route, header or claim. */
import { hash } from 'node:crypto';
import { parseIpAddress, readClaim, type Exchange } from '../sdk/plugin.ts';
import type { CountedBy } from './schema.ts';

export type CallerKey = (exchange: Exchange) => string;

// A letter before each kind: no consumer's name or header's value can pass for another's address.
const byIp: CallerKey = (exchange) => `i:${toIpKey(exchange.peer.ip)}`;

const byConsumer: CallerKey = (exchange) =>
  exchange.consumer === undefined ? byIp(exchange) : `c:${exchange.consumer.name}`;

/** How to tell the callers of a limit apart; bound once, as the request path has no time to ask. */
export function bindCallerKey(by: CountedBy, shared: boolean): CallerKey {
  if (by === 'consumer') return byConsumer;
  if (by === 'ip') return byIp;
  // Under a shared name, all its routes are one.
  if (by === 'route') return shared ? () => 'r' : (exchange) => `r:${exchange.route}`;
  if ('header' in by) return (exchange) => byHeader(exchange, by.header);
  return (exchange) => byClaim(exchange, by.claim);
}

/** Hashed, since the value is often a credential, and may be as long as the client likes. */
function byHeader(exchange: Exchange, name: string): string {
  const value = exchange.request.headers.get(name);
  return value === undefined || value === '' ? byIp(exchange) : `h:${digest(value)}`;
}

function byClaim(exchange: Exchange, name: string): string {
  const { claims } = exchange;
  const value = claims === undefined ? undefined : readClaim(claims, name);
  if (typeof value === 'string') {
    return value.length > 64 ? `d:${digest(value)}` : `s:${value}`;
  }
  return typeof value === 'number' || typeof value === 'boolean' ? `v:${value}` : byIp(exchange);
}

function digest(value: string): string {
  return hash('sha256', value, 'base64url');
}

/**
 * The text that stands for an address: IPv4 as it is, also where it came mapped into IPv6,
 * and IPv6 by its /64, the least that a single customer is given (RFC 6177), so that nobody
 * has 2^64 limits of his own.
 */
export function toIpKey(ip: string): string {
  if (!ip.includes(':')) return ip;
  const address = parseIpAddress(ip);
  if (address === undefined) return ip;
  if (typeof address === 'number') {
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
  }
  const [a, b, c, d] = address as [number, number, number, number];
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`;
}
