/** Services: their endpoints, and how these are reached. */
import { isHashing } from '../../../mesh/balancing/policies.ts';
import type { Discovery, EndpointConfig, PeerTls, ServiceConfig } from '../service-config.ts';
import { toPathText, type ConfigPath } from '../config-path.ts';
import type { RawDiscover, RawEndpoint } from '../schema/endpoint.ts';
import type { RawHedge } from '../schema/hedge.ts';
import type { RawService } from '../schema/service.ts';
import { hostNameFault, Malformed, parseAddress } from './address.ts';
import { toBalancer } from './balancer.ts';
import { mapPresent, toDurationMs, toRecord, type Draft } from './draft.ts';
import { DEFAULT_PEER_TLS, toPeerTls } from './peer-tls.ts';
import { toHealthCheck, toOutlierRules } from './health.ts';
import { checkName } from './name.ts';

export function toService(
  draft: Draft,
  name: string,
  raw: RawService,
  path: ConfigPath,
): ServiceConfig {
  checkName(draft, name, path);
  checkOrigin(draft, raw, path);
  const { retry } = raw;
  const protocol = raw.protocol ?? (raw.discover?.mesh === undefined ? 'http1' : 'auto');
  const hashing = isHashing(raw.balancer.policy);
  if (hashing && raw.adaptiveWeights === true) {
    draft.report(
      [...path, 'adaptiveWeights'],
      `"adaptiveWeights" means nothing to the policy ${raw.balancer.policy}`,
      { at: 'key', hint: 'remove it: equal keys stay on their endpoint' },
    );
  }
  return {
    name,
    endpoints: toEndpoints(draft, raw.endpoints ?? [], [...path, 'endpoints']),
    discover: toDiscovery(draft, raw.discover, [...path, 'discover']),
    protocol,
    tls: toServiceTls(draft, raw, path),
    balancer: toBalancer(draft, raw.balancer, [...path, 'balancer']),
    healthCheck: toHealthCheck(draft, raw.healthCheck, protocol, [...path, 'healthCheck']),
    outlierDetection: toOutlierRules(draft, raw.outlierDetection, [...path, 'outlierDetection']),
    adaptiveWeights: raw.adaptiveWeights ?? (!hashing && raw.discover?.mesh !== undefined),
    circuitBreaker: {
      maxConnections: raw.circuitBreaker.maxConnections,
      maxPending: raw.circuitBreaker.maxPending,
      maxRequests: raw.circuitBreaker.maxRequests,
    },
    retry: {
      attempts: retry.attempts,
      on: retry.on,
      perTryTimeoutMs: toDurationMs(draft, retry.perTryTimeout, [
        ...path,
        'retry',
        'perTryTimeout',
      ]),
      budget: { ratio: retry.budget.ratio, minPerSecond: retry.budget.minPerSecond },
    },
    hedge: toHedge(draft, raw.hedge, [...path, 'hedge']),
    timeouts: toTimeouts(draft, raw.timeouts, [...path, 'timeouts']),
  };
}

function checkOrigin(draft: Draft, raw: RawService, path: ConfigPath): void {
  if (raw.endpoints !== undefined && raw.discover !== undefined) {
    draft.report([...path, 'discover'], '"discover" cannot stand beside "endpoints"', {
      at: 'key',
    });
  }
  if (raw.endpoints === undefined && raw.discover === undefined) {
    draft.report(path, 'the service has no endpoints', { hint: 'give it endpoints or discover' });
  }
}

function toEndpoints(
  draft: Draft,
  raw: readonly RawEndpoint[],
  path: ConfigPath,
): readonly EndpointConfig[] {
  const seen = new Map<string, string>();
  const toEndpoint = (endpoint: RawEndpoint, entry: ConfigPath): EndpointConfig[] => {
    const place = [...entry, 'address'];
    const address = parseAddress(endpoint.address, 1);
    if (address instanceof Malformed) {
      draft.report(place, `${JSON.stringify(endpoint.address)}: ${address.message}`, {
        hint: address.hint,
      });
      return [];
    }
    const id = `${address.host}:${address.port}`;
    const other = seen.get(id);
    if (other !== undefined) {
      draft.report(place, `the same address as ${other}`, {
        hint: 'give one of them another address, or one weight for both',
      });
    }
    seen.set(id, toPathText(entry.slice(-2)));
    return [{ ...address, weight: endpoint.weight, metadata: toRecord(endpoint.metadata) }];
  };
  return mapPresent(raw, path, toEndpoint).flat();
}

function toDiscovery(
  draft: Draft,
  raw: RawDiscover | undefined,
  path: ConfigPath,
): Discovery | undefined {
  if (raw === undefined) return undefined;
  if (raw.mesh !== undefined) return { kind: 'mesh', service: raw.mesh };
  return raw.dns && toDnsDiscovery(draft, raw.dns, [...path, 'dns']);
}

function toDnsDiscovery(
  draft: Draft,
  { name, type, port, refresh }: NonNullable<RawDiscover['dns']>,
  path: ConfigPath,
): Discovery {
  const fault = hostNameFault(name.replace(/\.$/, ''));
  if (fault !== undefined) {
    draft.report([...path, 'name'], `${JSON.stringify(name)} ${fault.message}`);
  }
  if (type === 'SRV' && port !== undefined) {
    draft.report([...path, 'port'], 'SRV records tell the port', { at: 'key', hint: 'remove it' });
  }
  if (type !== 'SRV' && port === undefined) {
    draft.report(path, `${type} records do not tell the port`, { hint: 'give "port"' });
  }
  const refreshMs =
    refresh === undefined ? undefined : toDurationMs(draft, refresh, [...path, 'refresh'], 1);
  return { kind: 'dns', name, type, port, refreshMs };
}

function toServiceTls(draft: Draft, raw: RawService, path: ConfigPath): PeerTls | undefined {
  const isTls = raw.protocol === 'https' || raw.protocol === 'h2';
  const { tls } = raw;
  if (tls === undefined) {
    return isTls ? DEFAULT_PEER_TLS : undefined;
  }
  const place = [...path, 'tls'];
  if (!isTls) {
    draft.report(place, `"tls" means nothing to the protocol ${raw.protocol ?? 'http1'}`, {
      at: 'key',
      hint: 'set protocol to https (HTTP/1.1) or h2 (HTTP/2)',
    });
  }
  return toPeerTls(draft, tls, place);
}

function toHedge(
  draft: Draft,
  raw: RawHedge | undefined,
  path: ConfigPath,
): ServiceConfig['hedge'] {
  if (raw === undefined) return undefined;
  const { percentile, minDelay, attempts } = raw;
  // A hedge at once would be two of every request.
  const minDelayMs = toDurationMs(draft, minDelay, [...path, 'minDelay'], 1);
  return { percentile, minDelayMs, attempts };
}

function toTimeouts(
  draft: Draft,
  raw: RawService['timeouts'],
  path: ConfigPath,
): ServiceConfig['timeouts'] {
  return {
    connectMs: toDurationMs(draft, raw.connect, [...path, 'connect'], 1),
    responseMs: toDurationMs(draft, raw.response, [...path, 'response']),
    idleMs: toDurationMs(draft, raw.idle, [...path, 'idle']),
    keepAliveMs: toDurationMs(draft, raw.keepAlive, [...path, 'keepAlive']),
  };
}
