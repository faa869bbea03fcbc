/** How the clients are set: ioredis' defaults wait and repeat, which a gateway must not. */
import type { ClusterOptions, RedisOptions } from 'ioredis';
import { reconnectDelayMs } from '../timing.ts';
import type { RedisTarget } from './redis-target.ts';

/** A command that has no answer by then is given up; it may have happened. */
const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A socket on which an answer is due, and nothing comes, is dead: a partition sends no RST. */
const SOCKET_TIMEOUT_MS = 2_000;
/** How often a cluster's map is read without being told to. */
const SLOTS_REFRESH_MS = 5_000;

/** Without an option that the types of the clients' constructors do not agree on. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;
type SharedOptions = Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;

/** What every connection is set to, also those to a cluster's nodes. */
function sharedOptions(target: RedisTarget, connectionName: string): SharedOptions {
  const { username, password, tls, topology } = target;
  return {
    connectionName,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && topology.type !== 'sentinel' && { tls: { ...tls } }),
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    keepAlive: 5_000,
    // A command that was cut off fails at once: it may have happened, and sent again it
    // might happen twice. Whoever asked knows whether that does harm.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // A refused subscription would be a rejection that nobody handles.
    autoResubscribe: false,
    // A master that became a replica, and nobody closed the connection.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** For `single` and `sentinel`. */
export function toRedisOptions(
  target: RedisTarget,
  connectionName: string,
  random: () => number,
): ClientOptions {
  const { topology, tls, database } = target;
  const retryStrategy = (attempt: number): number => reconnectDelayMs(attempt, random);
  const options: ClientOptions = {
    ...sharedOptions(target, connectionName),
    ...(database !== undefined && { db: database }),
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy,
    disconnectTimeout: 500,
  };
  if (topology.type === 'single') return { ...options, host: topology.host, port: topology.port };
  if (topology.type === 'cluster') throw new TypeError('a cluster has options of its own');
  const { sentinels, name, sentinelUsername, sentinelPassword, sentinelTls } = topology;
  return {
    ...options,
    sentinels: [...sentinels],
    name,
    role: 'master',
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(sentinelTls !== undefined && { sentinelTLS: { ...sentinelTls } }),
    ...(tls !== undefined && { tls: { ...tls }, enableTLSForSentinelMode: true }),
  };
}

/** For `cluster`. */
export function toClusterOptions(
  target: RedisTarget,
  connectionName: string,
  random: () => number,
): Omit<ClusterOptions, 'redisOptions'> & { readonly redisOptions: SharedOptions } {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    shardedSubscribers: true,
    clusterRetryStrategy: (attempt) => reconnectDelayMs(attempt, random),
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    // MOVED and ASK were not carried out, and may be sent on; one that was cut off may have been.
    maxRedirections: 4,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: sharedOptions(target, connectionName),
  };
}
