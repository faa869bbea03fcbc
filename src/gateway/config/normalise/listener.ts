/** Listeners: addresses, limits and TLS. */
import type { AddressConfig } from '../config.ts';
import type { ListenerConfig, ListenerTls } from '../listener-config.ts';
import type { RedirectStatus } from '../route-config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawListener } from '../schema/listener.ts';
import type { RawListenerTls } from '../schema/listener-tls.ts';
import { Malformed, parseAddress } from './address.ts';
import { mapPresent, toAbsolutePath, toBytes, toDurationMs, type Draft } from './draft.ts';
import { toHosts } from './host.ts';

/** By protocol, where the file gives none. */
export const DEFAULT_ADDRESS = { http: '0.0.0.0:8000', https: '0.0.0.0:8443' } as const;
const NOWHERE: AddressConfig = { host: '', port: 0 };

export function toListener(draft: Draft, raw: RawListener, path: ConfigPath): ListenerConfig {
  const hosts = toHosts(draft, raw.hosts, [...path, 'hosts']);
  return {
    name: raw.name,
    ...toAddress(draft, raw.address ?? DEFAULT_ADDRESS[raw.protocol], [...path, 'address']),
    protocol: raw.protocol,
    hosts: hosts.includes('*') ? [] : hosts,
    redirectHttps: toRedirectHttps(draft, raw, path),
    proxyProtocol: raw.proxyProtocol,
    lane: raw.lane,
    limits: toLimits(draft, raw.limits, [...path, 'limits']),
    tls: toListenerTls(draft, raw, path),
  };
}

/** For something that listens: port 0 lets the system choose. */
export function toAddress(draft: Draft, text: string, path: ConfigPath): AddressConfig {
  const address = parseAddress(text, 0);
  if (!(address instanceof Malformed)) return address;
  draft.report(path, `${JSON.stringify(text)}: ${address.message}`, { hint: address.hint });
  return NOWHERE;
}

function toRedirectHttps(
  draft: Draft,
  raw: RawListener,
  path: ConfigPath,
): ListenerConfig['redirectHttps'] {
  if (raw.redirectHttps === false) return undefined;
  if (raw.protocol === 'https') {
    draft.report([...path, 'redirectHttps'], 'the listener speaks https already', { at: 'key' });
  }
  const given = raw.redirectHttps === true ? { port: undefined, status: 308 } : raw.redirectHttps;
  return { port: given.port ?? draft.httpsPort, status: given.status as RedirectStatus };
}

function toLimits(
  draft: Draft,
  raw: RawListener['limits'],
  path: ConfigPath,
): ListenerConfig['limits'] {
  return {
    maxHeaderBytes: toBytes(draft, raw.headers, [...path, 'headers'], 1024),
    maxHeaderFields: raw.headerFields,
    maxUrlBytes: toBytes(draft, raw.url, [...path, 'url'], 64),
    maxBodyBytes: toBytes(draft, raw.body, [...path, 'body']),
    headerTimeoutMs: toDurationMs(draft, raw.headerTimeout, [...path, 'headerTimeout'], 1),
    idleTimeoutMs: toDurationMs(draft, raw.idleTimeout, [...path, 'idleTimeout'], 1),
    minBodyRate: toBytes(draft, raw.minBodyRate, [...path, 'minBodyRate']),
    maxConnections: raw.connections,
    maxStreams: raw.streams,
    maxRequestsPerConnection: raw.requestsPerConnection,
    drainMs: toDurationMs(draft, raw.drain, [...path, 'drain']),
  };
}

function toListenerTls(draft: Draft, raw: RawListener, path: ConfigPath): ListenerTls | undefined {
  const { tls } = raw;
  if (tls === undefined) {
    if (raw.protocol === 'https') {
      draft.report(path, 'the protocol https needs "tls"', {
        hint: 'give tls.certificates, or tls.selfSigned for development',
      });
    }
    return undefined;
  }
  const place = [...path, 'tls'];
  if (raw.protocol === 'http') {
    draft.report(place, '"tls" means nothing to the protocol http', {
      at: 'key',
      hint: 'set protocol to https',
    });
  } else if (tls.certificates.length === 0 && tls.selfSigned.length === 0) {
    reportNoCertificate(draft, place);
  }
  return {
    certificates: mapPresent(tls.certificates, [...place, 'certificates'], (pair, at) =>
      toPair(draft, pair, at),
    ),
    selfSigned: toHosts(draft, tls.selfSigned, [...place, 'selfSigned']),
    ...toClientAuth(draft, tls, place),
    minVersion: String(tls.minVersion) as ListenerTls['minVersion'],
  };
}

/** Those of all listeners will do, which may come with another version of what nodes share. */
function reportNoCertificate(draft: Draft, path: ConfigPath): void {
  if (draft.hasCertificates === true) return;
  if (draft.hasCertificates === false) {
    draft.report(path, 'there is no certificate', {
      hint: 'give certificates, here or for all listeners, or selfSigned for development',
    });
  } else {
    draft.report(path, 'there is no certificate yet: no handshake succeeds', {
      severity: 'warning',
      hint: 'put one by the admin API, or give certificates here',
    });
  }
}

function toPair(
  draft: Draft,
  raw: RawListenerTls['certificates'][number],
  path: ConfigPath,
): ListenerTls['certificates'][number] {
  const cert = toAbsolutePath(draft, raw.cert);
  const key = toAbsolutePath(draft, raw.key);
  const certPath = [...path, 'cert'];
  draft.pemReferences.push({ kind: 'pair', cert, key, certPath, keyPath: [...path, 'key'] });
  return { cert, key };
}

function toClientAuth(
  draft: Draft,
  raw: RawListenerTls,
  path: ConfigPath,
): Pick<ListenerTls, 'clientCa' | 'clientAuth'> {
  if (raw.clientCa === undefined) {
    if (raw.clientAuth !== undefined) {
      draft.report([...path, 'clientAuth'], '"clientAuth" needs "clientCa"', {
        at: 'key',
        absent: [...path, 'clientCa'],
      });
    }
    return { clientCa: undefined, clientAuth: undefined };
  }
  const clientCa = toAbsolutePath(draft, raw.clientCa);
  draft.pemReferences.push({ kind: 'authorities', file: clientCa, path: [...path, 'clientCa'] });
  return { clientCa, clientAuth: raw.clientAuth ?? 'require' };
}
