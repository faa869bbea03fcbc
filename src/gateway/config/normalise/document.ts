/** The document as a whole: every part, and what they have to agree on. */
import type { AdminConfig, CertificateConfig, Config, ConsumerConfig } from '../config.ts';
import type { RouteConfig } from '../route-config.ts';
import type { ServiceConfig } from '../service-config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawDocument } from '../schema/document.ts';
import { Malformed, parseAddress, parseNetwork } from './address.ts';
import { toBackplane } from './backplane.ts';
import { warnOfUnknownCallers } from './caller-warnings.ts';
import { toCertificate, type NameOwners } from './certificate.ts';
import { toConsumer } from './consumer.ts';
import { mapPresent, toBytes, toUsablePath, type Draft } from './draft.ts';
import { DEFAULT_ADDRESS, toAddress, toListener } from './listener.ts';
import { checkListening } from './listening.ts';
import { toOutbound, toRegistrations } from './mesh-doors.ts';
import { toPluginEntries } from './plugin-list.ts';
import { toRoute } from './route.ts';
import { warnOfRoutes, type PlacedRoute } from './route-warnings.ts';
import { toService } from './service.ts';
import { toTelemetry } from './telemetry.ts';

const STANDARD_HTTPS_PORT = 443;

/** What has a name in a list; an entry with faults that leave nothing to look at is undefined. */
type Named = readonly ({ readonly name: string } | undefined)[];

const MIB = 1024 * 1024;
/** What else the admin API takes is no longer: it is the whole configuration alone that is limited. */
const MIN_DOCUMENT_BYTES = MIB;
/** Well within what a stored version may have: 48 MiB. */
const MAX_DOCUMENT_BYTES = 32 * MIB;

/** A part of the result, for those who follow where it came from. */
export type OnPart = (part: object, name: string, path: ConfigPath) => void;

/**
 * Turns a document that has met the schema into a `Config`, reporting what the schema could
 * not see. `onPart` is told of each named object and the place in the file it came from.
 */
export function toConfig(raw: RawDocument, draft: Draft, onPart: OnPart): Config {
  const listeners = toNamed(draft, raw.listeners, 'listeners', onPart, toListener);
  const admin = toAdmin(draft, raw.admin);
  const status = toAddress(draft, raw.status.address, ['status', 'address']);
  const registrations = toRegistrations(draft, raw.register);
  const outbound = toOutbound(draft, raw.outbound);
  checkListening(draft, raw, { listeners, registrations, outbound, admin, status });
  const services: ServiceConfig[] = [];
  for (const [name, service] of Object.entries(raw.services)) {
    const path = ['services', name];
    const part = toService(draft, name, service, path);
    services.push(part);
    onPart(part, name, path);
  }
  const certificates = toCertificates(draft, raw.certificates, onPart);
  const owners = new Map<string, string>();
  const placed: PlacedRoute[] = [];
  const routes = toNamed<RawDocument['routes'][number], RouteConfig>(
    draft,
    raw.routes,
    'routes',
    onPart,
    (d, route, path) => {
      const config = toRoute(d, route, path);
      placed.push({ route: config, raw: route, path });
      return config;
    },
  );
  warnOfRoutes(draft, placed, services, raw.services);
  warnOfUnknownCallers(draft, placed, raw.plugins);
  return {
    node: { name: raw.node.name, zone: raw.node.zone, workers: raw.node.workers },
    dataDir: toUsablePath(draft, raw.dataDir, ['dataDir']),
    backplane: toBackplane(draft, raw.backplane),
    listeners,
    trustedProxies: toNetworks(draft, raw.trustedProxies, ['trustedProxies']),
    registrations,
    outbound,
    services,
    routes,
    plugins: toPluginEntries(draft, raw.plugins, ['plugins']),
    consumers: toNamed<RawDocument['consumers'][number], ConsumerConfig>(
      draft,
      raw.consumers,
      'consumers',
      onPart,
      (d, consumer, path) => toConsumer(d, consumer, path, { owners }),
    ),
    certificates,
    admin,
    status,
    telemetry: toTelemetry(draft, raw.telemetry),
    redactions: [],
  };
}

function toCertificates(
  draft: Draft,
  raw: RawDocument['certificates'],
  onPart: OnPart,
): CertificateConfig[] {
  const owners: NameOwners = new Map();
  return Object.entries(raw).map(([name, certificate]) => {
    const path = ['certificates', name];
    const part = toCertificate(draft, name, certificate, path, owners);
    onPart(part, name, path);
    return part;
  });
}

function toAdmin(draft: Draft, { address, limits }: RawDocument['admin']): AdminConfig {
  const path = ['admin', 'limits', 'body'];
  const maxDocumentBytes = toBytes(draft, limits.body, path, MIN_DOCUMENT_BYTES);
  if (maxDocumentBytes > MAX_DOCUMENT_BYTES) {
    draft.report(path, `must be at most ${MAX_DOCUMENT_BYTES / MIB}MiB`);
  }
  return { address: toAddress(draft, address, ['admin', 'address']), maxDocumentBytes };
}

/** The names that references are checked against, of objects with faults too. */
export function namesOf(list: unknown): Set<string> {
  const names = new Set<string>();
  for (const entry of Array.isArray(list) ? (list as unknown[]) : []) {
    const name = (entry as { name?: unknown } | null | undefined)?.name;
    if (typeof name === 'string') names.add(name);
  }
  return names;
}

/** The port that `redirectHttps: true` means. */
export function firstHttpsPort(listeners: RawDocument['listeners']): number {
  for (const listener of listeners as readonly ((typeof listeners)[number] | undefined)[]) {
    if (listener?.protocol !== 'https') continue;
    const address = parseAddress(listener.address ?? DEFAULT_ADDRESS.https, 0);
    if (!(address instanceof Malformed)) return address.port;
  }
  return STANDARD_HTTPS_PORT;
}

function toNamed<Raw extends { readonly name: string }, Part extends object>(
  draft: Draft,
  list: readonly Raw[],
  key: 'listeners' | 'routes' | 'consumers',
  onPart: OnPart,
  toPart: (draft: Draft, raw: Raw, path: ConfigPath) => Part,
): Part[] {
  checkNames(draft, list, key);
  return mapPresent(list, [key], (raw, path) => {
    const part = toPart(draft, raw, path);
    onPart(part, raw.name, path);
    return part;
  });
}

function checkNames(draft: Draft, list: Named, key: string): void {
  const seen = new Map<string, number>();
  for (const [i, entry] of list.entries()) {
    if (entry === undefined) continue;
    const first = seen.get(entry.name);
    if (first === undefined) {
      seen.set(entry.name, i);
    } else {
      draft.report([key, i, 'name'], `the name is taken by ${key}[${first}]`, {
        hint: `names of ${key} are unique`,
      });
    }
  }
}

function toNetworks(draft: Draft, texts: readonly string[], path: ConfigPath): readonly string[] {
  return mapPresent(texts, path, (text, place) => {
    const network = parseNetwork(text);
    if (!(network instanceof Malformed)) return network;
    draft.report(place, `${JSON.stringify(text)}: ${network.message}`, { hint: network.hint });
    return text;
  });
}
