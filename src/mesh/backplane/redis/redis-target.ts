/** Which Redis: one server, Sentinels that know it, or a cluster. */
import type { ConnectionOptions } from 'node:tls';
import type { UpstreamTls } from '../../transport/upstream.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export type RedisTopology =
  | ({ readonly type: 'single' } & RedisAddress)
  | {
      readonly type: 'sentinel';
      readonly sentinels: readonly RedisAddress[];
      /** Of the master group. */
      readonly name: string;
      readonly sentinelUsername?: string | undefined;
      readonly sentinelPassword?: string | undefined;
      /** For the connections to the Sentinels; default: plain. */
      readonly sentinelTls?: RedisTls | undefined;
    }
  | { readonly type: 'cluster'; readonly nodes: readonly RedisAddress[] };

/** For mutual TLS, `cert` and `key`; PEM. */
export type RedisTls = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'
>;

export interface RedisTarget {
  readonly topology: RedisTopology;
  /** An ACL user; without it a password is the default user's. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Default: plain. */
  readonly tls?: RedisTls | undefined;
  /** Default 0; a cluster has no other. */
  readonly database?: number | undefined;
}

const DEFAULT_PORT = 6379;

/**
 * Reads `redis[s]://[user][:password@]host[:port][/database]`; `rediss` is TLS. Throws a
 * TypeError that does not repeat the URL, since it may hold a password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const url = URL.parse(text);
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new TypeError('not a Redis URL: redis://host:port or rediss://host:port is expected');
  }
  const database = url.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(database)) {
    throw new TypeError('the path of a Redis URL is the number of a database');
  }
  return {
    topology: {
      type: 'single',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    },
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
    ...(database !== '' && { database: Number(database) }),
  };
}

export function toRedisTls({ serverName, verify, ...pem }: UpstreamTls): RedisTls {
  return {
    ...pem,
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: verify,
  };
}

/** Where the way to it leads: the server, or the first of those that are named. */
export function firstAddressOf({ topology }: RedisTarget): RedisAddress {
  if (topology.type === 'single') return topology;
  return (topology.type === 'cluster' ? topology.nodes : topology.sentinels)[0]!;
}

/** For log lines; no secrets. */
export function describeTarget({ topology }: RedisTarget): string {
  if (topology.type === 'single') return toText(topology);
  if (topology.type === 'cluster') return `cluster ${topology.nodes.map(toText).join(', ')}`;
  return `${topology.name} of Sentinels ${topology.sentinels.map(toText).join(', ')}`;
}

function toText({ host, port }: RedisAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
