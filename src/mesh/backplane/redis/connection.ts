/** The connections of a node: one for commands, one for subscriptions (in a cluster, of each master). */
import { Cluster, Redis } from 'ioredis';
import type { Clock, Log } from '../../../plugins/sdk/plugin-context.ts';
import { BackplaneError, reasonOf } from '../backplane-error.ts';
import type { Schedule } from '../schedule.ts';
import { toClusterOptions, toRedisOptions } from './client-options.ts';
import { createClusterSubscriptions } from './cluster-subscriptions.ts';
import { ConnectionState } from './connection-state.ts';
import { createPlainSubscriptions } from './plain-subscriptions.ts';
import { toBackplaneError } from './redis-error.ts';
import { describeTarget, type RedisTarget } from './redis-target.ts';
import { SCRIPTS, type ScriptCalls } from './scripts.ts';
import type { SubscriptionHandlers, Subscriptions } from './subscriptions.ts';

export type RedisClient = (Redis | Cluster) & ScriptCalls;

export interface ConnectionEnvironment {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly schedule: Schedule;
}

/** With the time that a silent socket is given, a dead connection is noticed within 5 s. */
const PING_MS = 3_000;
const PING_JITTER = 0.2;
/** How long `start` waits for the first attempt. */
const FIRST_ATTEMPT_MS = 2_000;
const REDIS_MIN_MAJOR = 7;

export class RedisConnection {
  readonly state: ConnectionState;
  /** `PUBLISH`, or `SPUBLISH` where channels belong to shards. */
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH';
  readonly subscriptions: Subscriptions;
  readonly client: RedisClient;
  readonly #target: RedisTarget;
  readonly #environment: ConnectionEnvironment;
  /** Those to keep alive by asking. */
  readonly #pinged: readonly (Redis | Cluster)[];
  #callOffPing = (): void => {};
  #isClosed = false;
  #lastReason: string | undefined;

  constructor(
    target: RedisTarget,
    handlers: Omit<SubscriptionHandlers, 'onFailure'>,
    environment: ConnectionEnvironment,
  ) {
    const { random, schedule, clock } = environment;
    this.#target = target;
    this.#environment = environment;
    this.state = new ConnectionState(() => clock.monotonic());
    const all = { ...handlers, onFailure: (error: unknown) => this.#failed(error) };
    const { topology } = target;
    if (topology.type === 'cluster') {
      const options = toClusterOptions(target, 'meshgate', random);
      const cluster = new Cluster([...topology.nodes], options);
      this.client = withScripts(cluster);
      this.publishCommand = 'SPUBLISH';
      this.subscriptions = createClusterSubscriptions(cluster, all, schedule, random);
      this.#pinged = [cluster];
    } else {
      const redis = new Redis(toRedisOptions(target, 'meshgate', random));
      const subscriber = new Redis(toRedisOptions(target, 'meshgate-feed', random));
      this.client = withScripts(redis);
      this.publishCommand = 'PUBLISH';
      this.subscriptions = createPlainSubscriptions(subscriber, all, schedule, random);
      this.#pinged = [redis, subscriber];
    }
    this.#listen();
  }

  /** Resolves when the first attempt has ended; goes on trying. */
  async start(): Promise<void> {
    const { schedule } = this.#environment;
    this.#pingLater();
    this.subscriptions.start();
    await new Promise<void>((resolve) => {
      // A cluster's client that finds the cluster not in order never settles what `connect` promised.
      const ended = (): void => {
        callOff();
        forget();
        this.client.off('close', ended);
        resolve();
      };
      const callOff = schedule(FIRST_ATTEMPT_MS, ended);
      const forget = this.state.onChange(ended);
      this.client.on('close', ended);
      this.client.connect().catch((error: unknown) => {
        // Mostly an error was told before, and this is "Connection is closed."
        if (this.state.status().reason === undefined) this.#failed(error);
        // One that is closed before it has a socket tells of no `close`.
        ended();
      });
    });
  }

  /** Rejects with a `BackplaneError` alone. */
  async run<T>(ask: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new BackplaneError('closed', 'the backplane is closed');
    const isGone = this.client.status === 'end';
    try {
      return await ask(this.client);
    } catch (error) {
      throw toBackplaneError(error, { isGone, reason: this.state.status().reason });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#callOffPing();
    this.subscriptions.close();
    this.client.disconnect();
    this.state.lost();
  }

  #listen(): void {
    const { log } = this.#environment;
    const { client } = this;
    const server = describeTarget(this.#target);
    client.on('ready', () => void this.#ready());
    if (client.isCluster) {
      // Not sooner: a node that is on its way refuses the client's own check, which begins anew then.
      client.on('+node', (node: Redis) => {
        if (client.status !== 'ready' || node.options.readOnly === true) return;
        node.ping().catch(() => undefined);
      });
    }
    client.on('close', () => this.state.lost());
    client.on('error', (error: unknown) => this.#failed(error));
    this.state.onChange(() => {
      if (this.#isClosed) return;
      const reason = this.#lastReason;
      if (this.state.status().connected) log.info({ server }, 'backplane connected');
      else log.warn({ server, reason }, 'backplane lost, last known state stays in force');
      this.#lastReason = undefined;
    });
  }

  async #ready(): Promise<void> {
    await this.#warmUp();
    if (this.#isClosed || this.client.status !== 'ready') return;
    this.state.answered();
    await this.#checkVersion();
  }

  /** A cluster is ready before its nodes are: until they are connected they refuse commands. */
  async #warmUp(): Promise<void> {
    const { client } = this;
    if (!(client instanceof Cluster)) return;
    await Promise.all(client.nodes('master').map((node) => node.ping().catch(() => undefined)));
  }

  /** Once a reason: an outage may last for hours. */
  #failed(error: unknown): void {
    const reason = reasonOf(error);
    this.state.failed(reason);
    if (this.#isClosed || reason === this.#lastReason) return;
    this.#lastReason = reason;
    const server = describeTarget(this.#target);
    this.#environment.log.debug({ server, reason }, 'backplane connection failed');
  }

  async #checkVersion(): Promise<void> {
    const info = await this.client.info('server').catch(() => '');
    const version = /redis_version:(\S+)/.exec(info)?.[1];
    if (version === undefined || Number.parseInt(version, 10) >= REDIS_MIN_MAJOR) return;
    const server = describeTarget(this.#target);
    this.#environment.log.error({ server, version }, 'the backplane needs Redis 7 or later');
  }

  #pingLater(): void {
    const { schedule, random } = this.#environment;
    const delayMs = PING_MS * (1 + PING_JITTER * (2 * random() - 1));
    this.#callOffPing = schedule(delayMs, () => {
      for (const client of this.#pinged) void this.#ping(client);
      this.#pingLater();
    });
  }

  /** An answer that is due arms the client's socket timeout, which ends a dead connection. */
  async #ping(client: Redis | Cluster): Promise<void> {
    if (client.status !== 'ready') return;
    try {
      await client.ping();
      if (client === this.client) this.state.answered();
    } catch (error) {
      if (client !== this.client || this.#isClosed) return;
      this.#failed(error);
      this.state.lost();
    }
  }
}

/** EVALSHA, and EVAL where the server does not know the script (any more). */
function withScripts(client: Redis | Cluster): RedisClient {
  for (const [name, definition] of Object.entries(SCRIPTS)) client.defineCommand(name, definition);
  return client as RedisClient;
}
