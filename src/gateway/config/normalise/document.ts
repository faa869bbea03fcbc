/** The document as a whole: every part, and what they have to agree on. */
import type { AdminConfig, CertificateConfig, ConsumerConfig, Redaction } from '../config.ts';
import { breathe } from '../give-way.ts';
import type { ListenerConfig } from '../listener-config.ts';
import type { RouteConfig } from '../route-config.ts';
import type { ServiceConfig } from '../service-config.ts';
import type { ConfigHead } from '../config-pieces.ts';
import type { ConfigPath } from '../config-path.ts';
import type { Recollection } from '../entry-memory.ts';
import type { ConsumerFacts, EntryRecord, RouteFacts, ServiceFacts } from '../entry-record.ts';
import type { RawDocument } from '../schema/document.ts';
import type { RawService } from '../schema/service.ts';
import { Malformed, parseAddress, parseNetwork } from './address.ts';
import { toBackplane } from './backplane.ts';
import { warnOfUnknownCallers } from './caller-warnings.ts';
import { toCertificate, type NameOwners } from './certificate.ts';
import { checkCredentials, toConsumer } from './consumer.ts';
import { mapPresent, toBytes, toUsablePath, type Draft } from './draft.ts';
import { EntryReader, type NormalisedEntry } from './entry.ts';
import { DEFAULT_ADDRESS, toAddress, toListener } from './listener.ts';
import { checkListening } from './listening.ts';
import { toOutbound, toRegistrations } from './mesh-doors.ts';
import { toPluginEntries } from './plugin-list.ts';
import { toRoute } from './route.ts';
import { factsOfRoute, warnOfRoutes, type PlacedFacts } from './route-warnings.ts';
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

/** What a part of the result has of values that may not be shown. */
export interface PartHiding {
  readonly redactions: readonly Redaction[];
  readonly isHiding: boolean;
}

/** Told of each named object, and of the place in the file it came from. */
export type OnPart = (part: object, name: string, path: ConfigPath) => PartHiding;

export interface NormalisedDocument {
  readonly head: Omit<ConfigHead, 'redactions'>;
  readonly services: readonly NormalisedEntry<ServiceConfig, ServiceFacts>[];
  readonly routes: readonly NormalisedEntry<RouteConfig, RouteFacts>[];
  readonly consumers: readonly NormalisedEntry<ConsumerConfig, ConsumerFacts>[];
  readonly certificates: readonly CertificateConfig[];
  /** Of named objects, in the order in which `Config` has them. */
  readonly redactions: readonly Redaction[];
}

/**
 * Turns a document that has met the schema into what makes a `Config`, reporting what the schema
 * could not see. Entries that are `recalled` have been left out of `raw`.
 */
export function normaliseDocument(
  raw: RawDocument,
  draft: Draft,
  onPart: OnPart,
  recalled: Recollection | undefined,
): NormalisedDocument {
  const reader = new EntryReader(draft, onPart);
  const listeners = toListeners(draft, raw.listeners, reader);
  const admin = toAdmin(draft, raw.admin);
  const status = toAddress(draft, raw.status.address, ['status', 'address']);
  const registrations = toRegistrations(draft, raw.register);
  const outbound = toOutbound(draft, raw.outbound);
  checkListening(draft, raw, { listeners, registrations, outbound, admin, status });
  const serviceFacts = new Map<string, ServiceFacts>();
  const services: NormalisedEntry<ServiceConfig, ServiceFacts>[] = [];
  for (const [i, name] of (recalled?.serviceNames ?? Object.keys(raw.services)).entries()) {
    const service = raw.services[name];
    const record = recalled?.services.records[i];
    if (record === undefined && service === undefined) continue;
    const { entry, facts } = reader.read(name, record, ['services', name], (path) => {
      const item = toService(draft, name, service!, path);
      return { item, facts: factsOfService(item, service!) };
    });
    services.push(entry);
    serviceFacts.set(name, facts);
  }
  const certificates = toCertificates(draft, raw.certificates, reader);
  const placed: PlacedFacts[] = [];
  const routes = readList(
    draft,
    raw.routes,
    'routes',
    recalled?.routes.records,
    (route, known, path) => {
      const { entry, facts } = reader.read(nameOf(route, known), known, path, () => {
        const item = toRoute(draft, route!, path);
        return { item, facts: factsOfRoute(draft, item, route!) };
      });
      placed.push({ facts, path });
      return entry;
    },
  );
  warnOfRoutes(draft, placed, serviceFacts);
  warnOfUnknownCallers(draft, placed, raw.plugins);
  const owners = new Map<string, string>();
  const head = {
    node: { name: raw.node.name, zone: raw.node.zone, workers: raw.node.workers },
    dataDir: toUsablePath(draft, raw.dataDir, ['dataDir']),
    backplane: toBackplane(draft, raw.backplane),
    listeners,
    trustedProxies: toNetworks(draft, raw.trustedProxies, ['trustedProxies']),
    registrations,
    outbound,
    plugins: toPluginEntries(draft, raw.plugins, ['plugins']),
    admin,
    status,
    telemetry: toTelemetry(draft, raw.telemetry),
  };
  const consumers = readList(
    draft,
    raw.consumers,
    'consumers',
    recalled?.consumers.records,
    (consumer, known, path) => {
      const { entry, facts } = reader.read(nameOf(consumer, known), known, path, () =>
        toConsumer(consumer!),
      );
      checkCredentials(draft, facts, path, owners);
      return entry;
    },
  );
  const { redactions } = reader;
  return { head, services, routes, consumers, certificates, redactions };
}

function nameOf(
  raw: { readonly name: string } | undefined,
  known: EntryRecord<{ readonly name: string }> | undefined,
): string {
  return known?.facts.name ?? raw!.name;
}

function factsOfService({ endpoints }: ServiceConfig, raw: RawService): ServiceFacts {
  // Endpoints with faults have left holes, and been told about.
  return {
    isEmpty: raw.endpoints?.length === 0,
    metadata: endpoints.map(({ metadata }) => metadata),
  };
}

function toListeners(
  draft: Draft,
  raw: RawDocument['listeners'],
  reader: EntryReader,
): readonly ListenerConfig[] {
  checkNames(draft, raw, 'listeners');
  return mapPresent(raw, ['listeners'], (listener, path) => {
    const part = toListener(draft, listener, path);
    reader.part(part, listener.name, path);
    return part;
  });
}

function toCertificates(
  draft: Draft,
  raw: RawDocument['certificates'],
  reader: EntryReader,
): CertificateConfig[] {
  const owners: NameOwners = new Map();
  return Object.entries(raw).map(([name, certificate]) => {
    const path = ['certificates', name];
    const part = toCertificate(draft, name, certificate, path, owners);
    reader.part(part, name, path);
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

/** By place: an entry as it stands in the file, or what is known of it. */
function readList<
  Raw extends { readonly name: string },
  Facts extends { readonly name: string },
  Entry,
>(
  draft: Draft,
  list: readonly Raw[],
  key: 'routes' | 'consumers',
  known: readonly (EntryRecord<Facts> | undefined)[] = [],
  read: (raw: Raw | undefined, known: EntryRecord<Facts> | undefined, path: ConfigPath) => Entry,
): Entry[] {
  checkNames(
    draft,
    known.length === 0 ? list : list.map((entry, i) => known[i]?.facts ?? entry),
    key,
  );
  const entries: Entry[] = [];
  for (const [i, raw] of list.entries()) {
    breathe(i);
    const record = known[i];
    // What has faults has left a hole.
    if (record === undefined && (raw as unknown) === undefined) continue;
    entries.push(read(raw, record, [key, i]));
  }
  return entries;
}

function checkNames(draft: Draft, list: Named, key: string): void {
  const seen = new Map<string, number>();
  for (const [i, entry] of list.entries()) {
    breathe(i);
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
