/** An instance of a service as the registry knows it. */
import type { Json, StoredRecord } from '../backplane/backplane.ts';
import { isObject } from '../backplane/json-object.ts';

/** What an instance says of itself. */
export interface InstanceSpec {
  /** The same after a restart of the same instance: `host:port`, or a name. */
  readonly id: string;
  /** Where others reach it. */
  readonly host: string;
  readonly port: number;
  /** Default 1; 0 takes no share. */
  readonly weight?: number | undefined;
  /** Queries look at it, and so does `where` of a route's targets. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Default: the metadata's `zone`. */
  readonly zone?: string | undefined;
  /** Lower is preferred; default 0. */
  readonly priority?: number | undefined;
  /** Name of the node that registered it. */
  readonly node?: string | undefined;
}

export interface Instance {
  readonly service: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly zone: string | undefined;
  readonly priority: number;
  readonly node: string | undefined;
  /** About to go: takes no new requests. */
  readonly draining: boolean;
  readonly generation: number;
  /** Of the registration: another one with each start. */
  readonly owner: string;
}

/** Letters, digits, `.`, `_` and `-`: a service's name is also a host name, a key and a file name. */
export function isServiceName(name: string): boolean {
  return /^[\w.-]{1,100}$/.test(name);
}

/** The space of a service; throws a TypeError for a name that cannot be one. */
export function spaceOfService(service: string): string {
  if (!isServiceName(service)) {
    throw new TypeError(`not a name for a service of the mesh: ${JSON.stringify(service)}`);
  }
  return `svc:${service}`;
}

export function toInstanceValue(spec: InstanceSpec, draining: boolean): Json {
  const { host, port, weight = 1, metadata = {}, zone, priority = 0, node } = spec;
  return {
    host,
    port,
    weight,
    metadata,
    ...(zone !== undefined && { zone }),
    ...(priority !== 0 && { priority }),
    ...(node !== undefined && { node }),
    ...(draining && { draining }),
  };
}

/** Undefined for a value that is not an instance: whoever may write to the store wrote it. */
export function parseInstance(service: string, record: StoredRecord): Instance | undefined {
  const { id, generation, owner, value } = record;
  if (!isObject(value)) return undefined;
  const { host, port, weight, metadata, zone, priority, node, draining } = value;
  if (typeof host !== 'string' || host === '' || !isPort(port)) return undefined;
  const attributes = isObject(metadata) ? strings(metadata) : {};
  return {
    service,
    id,
    host,
    port,
    weight: isWeight(weight) ? weight : 1,
    metadata: attributes,
    zone: typeof zone === 'string' ? zone : attributes['zone'],
    priority: Number.isSafeInteger(priority) ? (priority as number) : 0,
    node: typeof node === 'string' ? node : undefined,
    draining: draining === true,
    generation,
    owner,
  };
}

export function isWeight(weight: unknown): weight is number {
  return typeof weight === 'number' && Number.isFinite(weight) && weight >= 0;
}

function isPort(port: unknown): port is number {
  return Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536;
}

function strings(object: Readonly<Record<string, unknown>>): Record<string, string> {
  const found = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === 'string') found[name] = value;
  }
  // With a prototype, but without ever calling a setter of it.
  return Object.fromEntries(Object.entries(found));
}
