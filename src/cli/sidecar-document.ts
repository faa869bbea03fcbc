/** The command line of a sidecar as the configuration it is short for, and what is wrong with that in terms of the command line. */
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
  readonly 'data-dir'?: string | undefined;
}

const DEFAULT_INBOUND = '0.0.0.0:4143';
/** A substitution, so that what is secret in it is treated as such; the shell has seen to all others. */
const REDIS_OF_ENV = '${MESHGATE_REDIS}';

/** JSON, which is YAML: the loader of files does the rest. Nothing is checked here. */
export function toSidecarDocument(
  flags: SidecarFlags,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const { service, app, inbound, outbound, services, namespace, protocol, zone, id } = flags;
  const { advertise, trust, status } = flags;
  const redis = flags.redis ?? (env['MESHGATE_REDIS'] ? REDIS_OF_ENV : undefined);
  const healthPath = flags['health-path'];
  const document = {
    meshgate: 1,
    node: { zone },
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
  };
  return JSON.stringify(document, (_key, value: unknown) =>
    typeof value === 'string' && value !== REDIS_OF_ENV
      ? value.replaceAll('${', () => '$${')
      : value,
  );
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
