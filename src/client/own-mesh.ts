/** Builds what an application's part in the mesh is made of, and takes it down again. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { createRedisBackplane } from '../mesh/backplane/redis/redis-backplane.ts';
import { describeTarget, firstAddressOf } from '../mesh/backplane/redis/redis-target.ts';
import { createMeshNode, type MeshNode } from '../mesh/node/mesh-node.ts';
import { isMeshOrigin } from '../mesh/service/dispatch-origin.ts';
import { createHealthLog } from '../mesh/service/health-log.ts';
import { MeshDispatcher } from '../mesh/service/mesh-dispatcher.ts';
import { invalidOption, meshClosed } from './client-error.ts';
import type { RegisterOptions } from './mesh-options.ts';
import type { CloseOptions, Mesh, MeshClientDispatcher, MeshStatus, ReadyOptions } from './mesh.ts';
import { OptionFields } from './option-fields.ts';
import { isCallableName, SERVICE_NAME_RULE, type ParsedOptions } from './parse-options.ts';
import { untilReady } from './readiness.ts';
import type { RegisteredInstance } from './registered-instance.ts';
import { Registrations } from './registrations.ts';
import { ServiceDirectory } from './service-directory.ts';

const now = Date.now;
const monotonic = (): number => performance.now();
const random = Math.random;
const clock = { now, monotonic };

/** What the disk says of a service is told after a quarter of a second; see `discovery/mesh.ts`. */
const DISK_PATIENCE_MS = 500;
/** The longest that any request may wait for a store which is away. */
const STORE_PATIENCE_MS = 20;
const READY_MS = 10_000;
const CLOSE_MS = 10_000;

export class OwnMesh implements Mesh {
  readonly dispatcher: MeshClientDispatcher;
  readonly #options: ParsedOptions;
  readonly #dispatcher: MeshDispatcher;
  readonly #node: MeshNode;
  readonly #services: ServiceDirectory;
  readonly #registrations: Registrations;
  readonly #closing = new AbortController();
  /** The first attempt to reach Redis has ended. */
  readonly #tried = Promise.withResolvers<void>();
  #closed: Promise<void> | undefined;

  constructor(options: ParsedOptions) {
    const { target, namespace, nodeName, zone, dataDir, log } = options;
    this.#options = options;
    const backplane = createRedisBackplane({ target, namespace, clock, random, log });
    this.#node = createMeshNode({
      backplane,
      nodeId: nodeName ?? `${hostname()}-${randomBytes(3).toString('hex')}`,
      dataDir,
      // It forwards for nobody: nodes that share out checks and limits must not count it.
      describe: undefined,
      clock,
      random,
      log,
    });
    this.#services = new ServiceDirectory({
      named: options.services,
      others: options.otherServices,
      sourceOf: (service) => this.#node.sourceOf(service),
      environment: {
        monotonic,
        now,
        random,
        zone,
        onRetry: (service, reason) => log.debug({ service, reason }, 'a call is tried again'),
        onEjection: () => {},
        onHealthEvent: createHealthLog(log),
      },
      discoveryTimeoutMs: options.discoveryTimeoutMs,
      tried: this.#tried.promise,
      outagePatienceMs: dataDir === undefined ? STORE_PATIENCE_MS : DISK_PATIENCE_MS,
      isConnected: () => backplane.status().connected,
      explain: () => this.#explain(),
    });
    this.#registrations = new Registrations({
      node: this.#node,
      destination: firstAddressOf(target),
      zone,
      monotonic,
      random,
      log,
    });
    this.#dispatcher = new MeshDispatcher({
      resolve: (name) => this.#services.get(name),
      suffix: options.suffix,
      admit: (service) => this.#services.untilKnown(service),
      hashHeaderOf: (service) => this.#services.hashHeaderOf(service),
    });
    // It is one by all that either of the two types asks for.
    this.dispatcher = this.#dispatcher as unknown as MeshClientDispatcher;
  }

  start(): void {
    this.#services.start();
    const { log } = this.#options;
    this.#node
      .start()
      .catch((error: unknown) => log.error({ err: error }, 'the mesh could not be joined'))
      .finally(this.#tried.resolve);
  }

  readonly interceptor: Dispatcher.DispatcherComposeInterceptor = (dispatch) => {
    return (options, handler) =>
      isMeshOrigin(options.origin, this.#options.suffix)
        ? this.#dispatcher.dispatch(options, handler)
        : dispatch(options, handler);
  };

  origin(service: string): string {
    if (!isCallableName(service)) throw invalidOption('service', SERVICE_NAME_RULE);
    return `http://${service}${this.#options.suffix}`;
  }

  async ready(options: ReadyOptions = {}): Promise<void> {
    const fields = new OptionFields(options, '', ['timeoutMs', 'services']);
    const timeoutMs = fields.milliseconds('timeoutMs', 1) ?? READY_MS;
    const services = (fields.list('services') ?? []).map((name, index) => {
      if (typeof name === 'string' && isCallableName(name)) return name;
      return fields.fail(`services[${index}]`, SERVICE_NAME_RULE);
    });
    await untilReady({
      missing: () => this.#missing(services),
      onChange: (listener) => {
        const stops = [this.#node.backplane.onStatus(listener), this.#services.onHeard(listener)];
        return () => stops.forEach((stop) => stop());
      },
      timeoutMs,
      closing: this.#closing.signal,
    });
  }

  register(options: RegisterOptions): Promise<RegisteredInstance> {
    if (this.#closing.signal.aborted) return Promise.reject(meshClosed());
    return this.#registrations.add(options);
  }

  status(): MeshStatus {
    const { connected, stalenessMs, reason } = this.#node.backplane.status();
    return { connected, stalenessMs, reason };
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const fields = new OptionFields(options, '', ['noticeMs', 'timeoutMs']);
    const noticeMs = fields.milliseconds('noticeMs', 0);
    const timeoutMs = fields.milliseconds('timeoutMs', 0) ?? CLOSE_MS;
    this.#closed ??= this.#close(noticeMs, timeoutMs);
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(noticeMs: number | undefined, timeoutMs: number): Promise<void> {
    this.#closing.abort(meshClosed());
    await this.#registrations.close(noticeMs);
    await this.#endCalls(timeoutMs);
    await this.#node.stop();
  }

  /** What became a tunnel lives on: it is no call any more, and its owner's. */
  async #endCalls(timeoutMs: number): Promise<void> {
    const drained = this.#dispatcher.close();
    const stopped = this.#services.stop();
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([drained, enough]);
    await this.#dispatcher.destroy();
    clearTimeout(timer);
    // A tunnel keeps its service waiting for as long as it lives.
    await Promise.race([stopped, nextTurn()]);
  }

  /** What `ready` waits for, in words; empty where that is nothing. */
  #missing(services: readonly string[]): readonly string[] {
    const unknown = this.#services.unknown();
    const without = this.#services.withoutEndpoint(services);
    const isAway = !this.status().connected;
    // With the last known endpoints it can do without Redis.
    const canServe = unknown.length === 0 && this.#options.services.size > 0;
    return [
      ...(isAway && !canServe ? [this.#explain()] : []),
      ...(unknown.length > 0 ? [`nothing is known of ${unknown.join(', ')}`] : []),
      ...(without.length > 0 ? [`no instance of ${without.join(', ')} can be called`] : []),
    ];
  }

  #explain(): string {
    const server = describeTarget(this.#options.target);
    const { connected, reason } = this.status();
    if (connected) return `Redis at ${server} has not answered yet`;
    return `Redis at ${server} is not reached${reason === undefined ? '' : ` (${reason})`}`;
  }
}
