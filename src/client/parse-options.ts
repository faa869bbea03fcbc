/** The options of `createMesh`, from unknown to typed. */
import type { RedisTarget } from '../mesh/backplane/redis/redis-target.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import { invalidOption } from './client-error.ts';
import { OptionFields } from './option-fields.ts';
import { parseRedis } from './parse-redis.ts';
import { parseService, SERVICE_FIELDS, type ParsedService } from './parse-service.ts';

export interface ParsedOptions {
  readonly target: RedisTarget;
  readonly namespace: string;
  /** Undefined: to be made up. */
  readonly nodeName: string | undefined;
  readonly zone: string | undefined;
  readonly dataDir: string | undefined;
  readonly services: ReadonlyMap<string, ParsedService>;
  /** How all other services are called. */
  readonly otherServices: ParsedService;
  readonly suffix: string;
  readonly discoveryTimeoutMs: number;
  readonly log: Log;
}

const FIELDS = [
  'redis',
  'namespace',
  'node',
  'dataDir',
  'services',
  'suffix',
  'discoveryTimeoutMs',
  'log',
];

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const NAMESPACE = /^[A-Za-z0-9_.-]{1,64}$/;
const SUFFIX = /^\.[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;
/** As host names are compared: `http://Orders.mesh` asks for `orders`. */
const SERVICE_NAME = /^[a-z0-9_.-]{1,100}$/;
export const SERVICE_NAME_RULE =
  'must be lower-case letters, digits, ".", "_" and "-", at most 100';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const quiet = (): void => {};
const SILENT: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Throws a `MeshClientError` that names the field. */
export function parseOptions(options: unknown): ParsedOptions {
  const fields = new OptionFields(options, '', FIELDS);
  const node = fields.fields('node', ['name', 'zone']);
  return {
    target: parseRedis(fields.get('redis')),
    namespace: parsePattern(fields, 'namespace', NAMESPACE) ?? 'meshgate',
    nodeName: node && parsePattern(node, 'name', NAME),
    zone: node && parsePattern(node, 'zone', NAME),
    dataDir: fields.text('dataDir'),
    services: parseServices(fields),
    otherServices: parseService(new OptionFields({}, 'services', [])),
    suffix: parsePattern(fields, 'suffix', SUFFIX) ?? '.mesh',
    discoveryTimeoutMs: fields.milliseconds('discoveryTimeoutMs', 0) ?? 1000,
    log: parseLog(fields),
  };
}

export function isCallableName(service: string): boolean {
  return SERVICE_NAME.test(service);
}

function parseServices(fields: OptionFields): ReadonlyMap<string, ParsedService> {
  const services = new Map<string, ParsedService>();
  for (const [name, settings] of fields.entries('services') ?? []) {
    const path = `services.${name}`;
    if (!isCallableName(name)) throw invalidOption(path, `is no name: it ${SERVICE_NAME_RULE}`);
    services.set(name, parseService(new OptionFields(settings, path, SERVICE_FIELDS)));
  }
  return services;
}

function parsePattern(fields: OptionFields, name: string, pattern: RegExp): string | undefined {
  const text = fields.text(name);
  if (text !== undefined && !pattern.test(text))
    fields.fail(name, `must be of the form ${pattern.source}`);
  return text;
}

function parseLog(fields: OptionFields): Log {
  const log = fields.get('log');
  if (log === undefined) return SILENT;
  const isLog =
    typeof log === 'object' &&
    log !== null &&
    LEVELS.every((level) => typeof (log as Partial<Record<string, unknown>>)[level] === 'function');
  if (!isLog) fields.fail('log', `must have the methods ${LEVELS.join(', ')}`);
  return log as Log;
}
