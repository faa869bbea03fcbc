/** The instances beside this node: follows the configuration, and takes them out of the mesh when the node goes. */
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import { toEndpointId, type EndpointSpec } from '../../mesh/endpoint.ts';
import { findAdvertisedHost, type Destination } from '../../mesh/node/advertised-host.ts';
import { LocalInstance } from '../../mesh/node/local-instance.ts';
import { Registration } from '../../mesh/registry/registration.ts';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import { createProbe } from '../config/create-probe.ts';
import type { RegistrationConfig } from '../config/mesh-config.ts';

export interface RegistrationSetOptions {
  readonly backplane: Backplane;
  /** Where the backplane is, if not on this machine alone. */
  readonly destination: Destination | undefined;
  readonly nodeId: string;
  readonly zone: string | undefined;
  /** The port that an inbound door has been given, where it asked for any. */
  readonly inboundPort: (registration: RegistrationConfig) => number;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Log;
}

const ANYWHERE = new Set(['0.0.0.0', '::']);

export class RegistrationSet {
  readonly #options: RegistrationSetOptions;
  #instances = new Map<string, LocalInstance>();
  /** One change at a time. */
  #applied: Promise<void> = Promise.resolve();

  constructor(options: RegistrationSetOptions) {
    this.#options = options;
  }

  /** The instances from now on: those that are new are looked at, those that are gone are drained and leave. */
  apply(configs: readonly RegistrationConfig[]): Promise<void> {
    this.#applied = this.#applied.then(() => this.#apply(configs));
    return this.#applied;
  }

  /** Tells all callers to send no new requests. Resolves to whether there was anybody to tell. */
  async drain(): Promise<boolean> {
    await this.#applied;
    const told = await Promise.all(Array.from(this.#instances.values(), (one) => one.drain()));
    return told.some(Boolean);
  }

  /** Takes all of them out of the mesh. */
  async leave(): Promise<void> {
    await this.#applied;
    await Promise.all(Array.from(this.#instances.values(), (one) => one.leave()));
    this.#instances.clear();
  }

  async #apply(configs: readonly RegistrationConfig[]): Promise<void> {
    const next = new Map<string, LocalInstance>();
    for (const config of configs) {
      const key = JSON.stringify(config);
      next.set(key, this.#instances.get(key) ?? (await this.#begin(config)));
    }
    const gone = [...this.#instances].filter(([key]) => !next.has(key));
    this.#instances = next;
    for (const [, instance] of gone) void instance.drain().then(() => instance.leave());
  }

  async #begin(config: RegistrationConfig): Promise<LocalInstance> {
    const { backplane, nodeId, zone, monotonic, random, log } = this.#options;
    const { service, application, weight, metadata, priority, healthCheck } = config;
    const advertised = await this.#advertised(config);
    const id = config.id ?? toEndpointId(advertised.host, advertised.port);
    const registration = new Registration({
      backplane,
      service,
      instance: {
        id,
        ...advertised,
        weight,
        metadata,
        zone: metadata['zone'] ?? zone,
        priority,
        node: nodeId,
      },
      monotonic,
      random,
      log,
    });
    const instance = new LocalInstance({
      registration,
      application: toSpec(application),
      probe: createProbe(healthCheck, { protocol: usesHttp2(config) ? 'h2c' : 'http1' }),
      rules: healthCheck,
      log,
    });
    instance.start();
    return instance;
  }

  async #advertised(config: RegistrationConfig): Promise<Destination> {
    const { advertise, inbound, application } = config;
    if (advertise !== undefined) return advertise;
    const { host } = inbound ?? application;
    const port = inbound === undefined ? application.port : this.#options.inboundPort(config);
    if (!ANYWHERE.has(host)) return { host, port };
    const { destination } = this.#options;
    if (destination === undefined) return { host: '127.0.0.1', port };
    return { host: await findAdvertisedHost(destination), port };
  }
}

function usesHttp2({ protocol, healthCheck }: RegistrationConfig): boolean {
  return protocol === 'h2c' || healthCheck.by.kind === 'grpc';
}

function toSpec({ host, port }: Destination): EndpointSpec {
  return { id: toEndpointId(host, port), host, port, weight: 1, metadata: {} };
}
