/** Addresses as they are written in options. */
import type { Destination } from '../mesh/node/advertised-host.ts';

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]]+)$/;

/** `host:port`, with an IPv6 address in brackets; undefined for what is none. */
export function parseAddress(text: unknown): Destination | undefined {
  if (typeof text !== 'string') return undefined;
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  const port = parsePort(text.slice(colon + 1));
  if (colon < 1 || port === undefined || !HOST.test(host)) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}

/** Undefined for what nobody can connect to. */
export function parsePort(value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536
    ? (port as number)
    : undefined;
}
