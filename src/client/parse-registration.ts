/** The options of `register`, from unknown to typed. */
import { probeTcp } from '../mesh/health/tcp-probe.ts';
import { isAnywhere, type Destination } from '../mesh/node/advertised-host.ts';
import { LOCAL_CHECK_DEFAULTS, CHECK_DEFAULTS } from '../mesh/service/service-defaults.ts';
import { parseAddress, parsePort } from './address.ts';
import { OptionFields } from './option-fields.ts';
import { parseCheck, type ParsedCheck } from './parse-check.ts';
import { isCallableName, SERVICE_NAME_RULE } from './parse-options.ts';

export interface ParsedRegistration {
  readonly service: string;
  /** Where the application is looked at. */
  readonly application: Destination;
  /** Undefined: the address by which this machine is reached, and the application's port. */
  readonly advertised: Destination | undefined;
  /** Undefined: what is advertised. */
  readonly id: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly weight: number;
  readonly priority: number;
  readonly zone: string | undefined;
  /** Undefined: none. */
  readonly check: ParsedCheck | undefined;
  readonly signal: AbortSignal | undefined;
}

const FIELDS = [
  'service',
  'address',
  'advertise',
  'id',
  'metadata',
  'weight',
  'priority',
  'zone',
  'protocol',
  'healthCheck',
  'signal',
];

const MAX_ID_LENGTH = 256;

/** Throws a `MeshClientError` that names the field. */
export function parseRegistration(options: unknown): ParsedRegistration {
  const fields: OptionFields = new OptionFields(options, '', FIELDS);
  const service = fields.text('service');
  if (service === undefined || !isCallableName(service)) fields.fail('service', SERVICE_NAME_RULE);
  const { host, port } = parseListening(fields);
  const anywhere = isAnywhere(host);
  const id = fields.text('id');
  if (id !== undefined && id.length > MAX_ID_LENGTH) {
    fields.fail('id', `must be at most ${MAX_ID_LENGTH} characters`);
  }
  return {
    service,
    application: { host: anywhere ? '127.0.0.1' : host, port },
    advertised: parseAdvertise(fields) ?? (anywhere ? undefined : { host, port }),
    id,
    metadata: parseMetadata(fields),
    weight: fields.number('weight', { min: 0, max: 1_000_000 }) ?? 1,
    priority: fields.number('priority', { min: 0, max: 127, whole: true }) ?? 0,
    zone: fields.text('zone'),
    check: parseLocalCheck(fields),
    signal: parseSignal(fields),
  };
}

function parseListening(fields: OptionFields): Destination {
  const value = fields.get('address');
  const port = typeof value === 'number' ? parsePort(value) : undefined;
  if (port !== undefined) return { host: '0.0.0.0', port };
  return (
    parseAddress(value) ?? fields.fail('address', 'must be host:port, or a port from 1 to 65535')
  );
}

function parseAdvertise(fields: OptionFields): Destination | undefined {
  const text = fields.text('advertise');
  if (text === undefined) return undefined;
  return parseAddress(text) ?? fields.fail('advertise', 'must be host:port');
}

function parseMetadata(fields: OptionFields): Readonly<Record<string, string>> {
  const entries = fields.entries('metadata') ?? [];
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === 'string' ? value : fields.fail(`metadata.${name}`, 'must be a text'),
    ]),
  );
}

function parseLocalCheck(fields: OptionFields): ParsedCheck | undefined {
  const protocol = fields.oneOf('protocol', ['http1', 'h2c']);
  if (fields.get('healthCheck') === false) return undefined;
  const isGrpc = (fields.get('healthCheck') as { grpc?: unknown } | undefined)?.grpc !== undefined;
  return (
    parseCheck(fields, { protocol: protocol ?? (isGrpc ? 'h2c' : 'http1') }, CHECK_DEFAULTS) ?? {
      probe: probeTcp,
      rules: LOCAL_CHECK_DEFAULTS,
    }
  );
}

function parseSignal(fields: OptionFields): AbortSignal | undefined {
  const signal = fields.get('signal');
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  return fields.fail('signal', 'must be an AbortSignal');
}
