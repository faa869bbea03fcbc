/** The command line of a sidecar as the configuration it is short for, and what is wrong with that in terms of the command line. */
import { hash } from 'node:crypto';
import type { ConfigIssue } from '../gateway/config/issue.ts';

export interface SidecarFlags {
  readonly service: string;
  readonly app: string;
  readonly inbound?: string | undefined;
  readonly outbound?: string | undefined;
  /** Separated by commas. */
  readonly services?: string | undefined;
  readonly redis?: string | undefined;
  readonly namespace?: string | undefined;
  readonly protocol?: string | undefined;
  /** Each `key=value`. */
  readonly metadata?: readonly string[] | undefined;
  readonly zone?: string | undefined;
  readonly 'health-path'?: string | undefined;
  readonly id?: string | undefined;
  readonly advertise?: string | undefined;
  readonly trust?: readonly string[] | undefined;
  readonly status?: string | undefined;
  readonly admin?: string | undefined;
  readonly name?: string | undefined;
  readonly 'data-dir'?: string | undefined;
}

const DEFAULT_INBOUND = '0.0.0.0:4143';
/** Any port: the gateway of the machine has 8001, other nodes hear which it is. */
const DEFAULT_ADMIN = '127.0.0.1:0';
const NAME_CHARACTERS = 128;
/** A substitution, so that what is secret in it is treated as such; the shell has seen to all others. */
const REDIS_OF_ENV = '${MESHGATE_REDIS}';

/** JSON, which is YAML: the loader of files does the rest. Nothing is checked here. */
export function toSidecarDocument(
  flags: SidecarFlags,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const { service, app, inbound, outbound, services, namespace, protocol, zone, id } = flags;
  const { advertise, trust, status, admin = DEFAULT_ADMIN } = flags;
  const redis = flags.redis ?? (env['MESHGATE_REDIS'] ? REDIS_OF_ENV : undefined);
  const healthPath = flags['health-path'];
  const document = {
    meshgate: 1,
    node: { name: flags.name ?? toNodeName(service, id), zone },
    dataDir: flags['data-dir'],
    backplane: { redis, namespace },
    trustedProxies: trust,
    register: [
      {
        service,
        address: app,
        inbound: inbound ?? DEFAULT_INBOUND,
        advertise,
        id,
        protocol,
        metadata: flags.metadata && toMetadata(flags.metadata),
        healthCheck: healthPath === undefined ? undefined : { http: { path: healthPath } },
      },
    ],
    outbound: { address: outbound, services: services?.split(',').map((name) => name.trim()) },
    status: { address: status },
    admin: { address: admin },
  };
  return JSON.stringify(document, (_key, value: unknown) =>
    typeof value === 'string' && value !== REDIS_OF_ENV
      ? value.replaceAll('${', () => '$${')
      : value,
  );
}

/**
 * Who has an id is the same node after a restart. Ids are free text, and a node's name is not:
 * a digest keeps apart what is left of two of them.
 */
function toNodeName(service: string, id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  const plain = `${service}-${id}`;
  const name = plain.replaceAll(/[^A-Za-z0-9._-]/g, '-');
  if (name === plain && name.length <= NAME_CHARACTERS) return name;
  const digest = hash('sha256', id, 'hex').slice(0, 8);
  return `${name.slice(0, NAME_CHARACTERS - digest.length - 1)}-${digest}`;
}

/** The longest that fits goes first. */
const FLAGS: readonly (readonly [path: string, flag: string])[] = [
  ['register[0].service', 'SERVICE'],
  ['register[0].address', '--app'],
  ['register[0].inbound', '--inbound'],
  ['register[0].advertise', '--advertise'],
  ['register[0].id', '--id'],
  ['register[0].protocol', '--protocol'],
  ['register[0].metadata', '--metadata'],
  ['register[0].healthCheck', '--health-path'],
  ['outbound.address', '--outbound'],
  ['outbound.services', '--services'],
  ['backplane.redis', '--redis'],
  ['backplane.namespace', '--namespace'],
  ['trustedProxies', '--trust'],
  ['status.address', '--status'],
  ['admin.address', '--admin'],
  ['node.name', '--name'],
  ['node.zone', '--zone'],
  ['dataDir', '--data-dir'],
];

export function toFlagText({ path, message, hint }: ConfigIssue): string {
  const flag = FLAGS.find(([start]) => path.startsWith(start))?.[1] ?? path;
  return `${flag === '' ? '' : `${flag}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function toMetadata(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
