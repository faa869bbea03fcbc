/** An instance that this process has registered, as its application sees it. */
import type { MeshNode } from '../mesh/node/mesh-node.ts';
import { toEndpointId } from '../mesh/endpoint.ts';
import type { Destination } from '../mesh/node/advertised-host.ts';
import { DRAIN_NOTICE_MS, LocalInstance } from '../mesh/node/local-instance.ts';
import { Registration, type RegistrationState } from '../mesh/registry/registration.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';
import { meshClosed, MeshClientError } from './client-error.ts';
import { OptionFields } from './option-fields.ts';
import type { ParsedRegistration } from './parse-registration.ts';

/**
 * - `registering`: its health check has not passed yet, or Redis was not reached yet.
 * - `registered`: others call it, while its health check passes.
 * - `draining`: callers are told to send no new requests.
 * - `superseded`: another instance has registered with the same id.
 * - `left`: it is out of the mesh.
 */
export type InstanceState = 'registering' | 'registered' | 'draining' | 'superseded' | 'left';

export interface DrainOptions {
  /** How long callers are given to hear of it, in milliseconds. Default 1000, ten times what it mostly takes. */
  readonly noticeMs?: number | undefined;
}

export interface RegisteredInstance {
  readonly service: string;
  readonly id: string;
  /** What others connect to: `host:port`. */
  readonly address: string;
  readonly state: InstanceState;
  /** Whether its health check passed when it was last looked at. */
  readonly healthy: boolean;
  /**
   * Tells all callers to send no new requests, and resolves when they have had the time to hear
   * of it: then the application can stop. It stays in the mesh, drained, until `deregister`.
   * Where Redis cannot be told, it resolves at once.
   *
   * @example
   * await instance.drain();
   * await new Promise((closed) => server.close(closed));
   * await mesh.close();
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Takes it out of the mesh at once; where Redis cannot be told, its lease ends within 15 s. */
  deregister(): Promise<void>;
}

export interface InstanceSurroundings {
  readonly node: MeshNode;
  readonly zone: string | undefined;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
}

/** Looks after the instance: with a health check, or without. */
type Keeper = Pick<LocalInstance, 'start' | 'drain' | 'leave' | 'healthy'>;

export class OwnInstance implements RegisteredInstance {
  readonly service: string;
  readonly id: string;
  readonly address: string;
  readonly #registration: Registration;
  readonly #keeper: Keeper;
  readonly #registered = Promise.withResolvers<void>();
  #isDraining = false;
  #drained: Promise<void> | undefined;

  constructor(
    parsed: ParsedRegistration,
    advertised: Destination,
    { node, zone, monotonic, random, log }: InstanceSurroundings,
  ) {
    const { service, weight, metadata, priority } = parsed;
    this.service = service;
    this.address = toEndpointId(advertised.host, advertised.port);
    this.id = parsed.id ?? this.address;
    // Whoever has not asked to be told must not be told by an unhandled rejection.
    this.#registered.promise.catch(() => {});
    this.#registration = new Registration({
      backplane: node.backplane,
      service,
      instance: {
        id: this.id,
        ...advertised,
        weight,
        metadata,
        zone: parsed.zone ?? metadata['zone'] ?? zone,
        priority,
        node: node.nodeId,
      },
      monotonic,
      random,
      log,
      onState: (state) => this.#heard(state),
    });
    this.#keeper = this.#createKeeper(parsed, log);
  }

  get state(): InstanceState {
    switch (this.#registration.state) {
      case 'ended':
        return 'left';
      case 'registered':
        return this.#isDraining ? 'draining' : 'registered';
      default:
        return this.#registration.state;
    }
  }

  get healthy(): boolean {
    return this.#keeper.healthy;
  }

  /** Resolves once it is registered. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const giveUp = (): void => {
      this.#registered.reject(signal!.reason as Error);
      void this.deregister();
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#keeper.start();
    try {
      await this.#registered.promise;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    const noticeMs = new OptionFields(options, '', ['noticeMs']).milliseconds('noticeMs', 0);
    this.#drained ??= this.#drain(noticeMs ?? DRAIN_NOTICE_MS);
    await this.#drained;
  }

  async deregister(): Promise<void> {
    this.#registered.reject(meshClosed());
    await this.#keeper.leave();
    // One that was never registered has nothing to take out, and must not come in any more.
    await this.#registration.deregister();
  }

  async #drain(noticeMs: number): Promise<void> {
    this.#isDraining = true;
    const told = await this.#keeper.drain();
    if (told) await new Promise((heard) => setTimeout(heard, noticeMs));
  }

  #createKeeper({ check, application }: ParsedRegistration, log: Log): Keeper {
    const registration = this.#registration;
    if (check === undefined) {
      return {
        healthy: true,
        start: () => void registration.start(),
        drain: async () => registration.state === 'registered' && (await registration.drain()),
        leave: async () => void (await registration.deregister()),
      };
    }
    return new LocalInstance({ registration, application, ...check, log });
  }

  #heard(state: RegistrationState): void {
    if (state === 'registered') this.#registered.resolve();
    if (state !== 'superseded') return;
    this.#registered.reject(
      new MeshClientError(
        'superseded',
        `another instance of ${this.service} has registered with the id ${this.id}`,
      ),
    );
    void this.#keeper.leave();
  }
}
