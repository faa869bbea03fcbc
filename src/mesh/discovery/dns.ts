/** DNS discovery: asks again when the TTL has passed, and keeps the last answer through every failure. */
import { Resolver } from 'node:dns/promises';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { toEndpointId, type EndpointSpec } from '../endpoint.ts';
import {
  errorCodeOf,
  lookUpAddresses,
  systemLookup,
  type DnsResolver,
  type SystemLookup,
} from './dns-lookup.ts';
import { lookUpSrv, type SrvLookup, type TargetCache } from './dns-srv.ts';
import { failureDelayMs, refreshDelayMs, ttlToMs } from './dns-timing.ts';
import type { EndpointListener, EndpointSource } from './endpoint-source.ts';

export type DnsQuery =
  | {
      readonly type: 'A' | 'AAAA';
      readonly name: string;
      readonly port: number;
      readonly metadata?: Readonly<Record<string, string>> | undefined;
    }
  | {
      readonly type: 'SRV';
      /** As it stands in DNS, e.g. `_http._tcp.orders.example.com`. */
      readonly name: string;
      readonly metadata?: Readonly<Record<string, string>> | undefined;
    };

export interface DnsSourceOptions {
  readonly query: DnsQuery;
  /** Milliseconds between two lookups; default: by the records' TTL. */
  readonly refreshMs?: number | undefined;
  readonly log: Log;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  /** Of this source alone, since `stop` cancels its queries; default: the system's servers, 2 s and 2 tries each. */
  readonly resolver?: DnsResolver | undefined;
  readonly lookup?: SystemLookup | undefined;
  readonly schedule?: Schedule | undefined;
}

const NO_METADATA: Readonly<Record<string, string>> = {};

/** DNS servers rotate their answers; in a fixed order the same set is the same list. */
function inStableOrder(specs: readonly EndpointSpec[]): EndpointSpec[] {
  const ordered = specs.toSorted(
    (a, b) => (a.priority ?? 0) - (b.priority ?? 0) || (a.id < b.id ? -1 : Number(a.id > b.id)),
  );
  const seen = new Set<string>();
  return ordered.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function isSameList(a: readonly EndpointSpec[], b: readonly EndpointSpec[]): boolean {
  return (
    a.length === b.length &&
    a.every((spec, index) => {
      const other = b[index];
      return (
        spec.id === other?.id && spec.weight === other.weight && spec.priority === other.priority
      );
    })
  );
}

/**
 * A and AAAA give an endpoint an address; SRV one an address of each target, with the
 * record's port, weight and priority. One lookup at a time. NXDOMAIN, a timeout, an error
 * or an empty answer leave the last list in force and are asked again with backoff.
 */
export function createDnsSource(options: DnsSourceOptions): EndpointSource {
  const { query, log, random } = options;
  const resolver = options.resolver ?? new Resolver({ timeout: 2_000, tries: 2 });
  const system = options.lookup ?? systemLookup;
  const schedule = options.schedule ?? scheduleTimer;
  const metadata = query.metadata ?? NO_METADATA;

  const targets: TargetCache = new Map();
  let listener: EndpointListener | undefined;
  /** Tells a lookup that outlived its run. */
  let run = 0;
  let callOff: () => void = () => {};
  let failures = 0;
  let known: readonly EndpointSpec[] = [];

  async function lookUp(): Promise<SrvLookup> {
    if (query.type === 'SRV') {
      return lookUpSrv(query.name, metadata, resolver, system, targets);
    }
    const family = query.type === 'A' ? 4 : 6;
    const { port, name } = query;
    const { addresses, ttlSeconds } = await lookUpAddresses(name, family, resolver, system);
    const endpoints = addresses.map((host) => {
      return { id: toEndpointId(host, port), host, port, weight: 1, metadata };
    });
    return { endpoints, ttlSeconds, failure: undefined };
  }

  function noteFailure(error: unknown): number {
    failures += 1;
    // Once a streak: DNS may be away for hours.
    if (failures === 1) {
      const { name, type } = query;
      const code = errorCodeOf(error);
      if (known.length === 0) {
        log.warn({ name, type, code }, 'DNS lookup failed; there are no endpoints until it works');
      } else {
        log.warn({ name, type, code, kept: known.length }, 'DNS lookup failed, last answer kept');
      }
    }
    return failureDelayMs(failures, random);
  }

  function noteSuccess(ttlSeconds: number): number {
    if (failures > 0) {
      const { name, type } = query;
      log.info({ name, type, failures }, 'DNS lookup works again');
    }
    failures = 0;
    return refreshDelayMs(options.refreshMs ?? ttlToMs(ttlSeconds), random);
  }

  function publish(endpoints: readonly EndpointSpec[]): void {
    const next = inStableOrder(endpoints);
    if (isSameList(known, next)) return;
    known = next;
    listener?.(next);
  }

  async function refresh(ofRun: number): Promise<void> {
    let delayMs: number;
    let found: SrvLookup | undefined;
    try {
      found = await lookUp();
      if (ofRun !== run) return;
      delayMs =
        found.failure === undefined ? noteSuccess(found.ttlSeconds) : noteFailure(found.failure);
    } catch (error) {
      if (ofRun !== run) return;
      delayMs = noteFailure(error);
    }
    callOff = schedule(delayMs, () => void refresh(ofRun));
    if (found !== undefined) publish(found.endpoints);
  }

  return {
    start(heard) {
      if (listener !== undefined) throw new Error('already started');
      listener = heard;
      known = [];
      failures = 0;
      void refresh(run);
    },
    stop() {
      if (listener === undefined) return;
      listener = undefined;
      run += 1;
      callOff();
      resolver.cancel();
    },
  };
}
