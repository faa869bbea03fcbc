/** The instances beside this node: follows the configuration, and takes them out of the mesh when the node goes. */
import type { Backplane } from '../../mesh/backplane/backplane.ts';
import { toEndpointId } from '../../mesh/endpoint.ts';
import {
  findAdvertisedHost,
  isAnywhere,
  type Destination,
} from '../../mesh/node/advertised-host.ts';
import { LocalInstance } from '../../mesh/node/local-instance.ts';
import { Registration } from '../../mesh/registry/registration.ts';
import { reasonOf } from '../../mesh/backplane/backplane-error.ts';
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

interface Entry {
  readonly config: RegistrationConfig;
  readonly instance: LocalInstance;
}

export class RegistrationSet {
  readonly #options: RegistrationSetOptions;
  #entries = new Map<string, Entry>();
  /** One change at a time. */
  #applied: Promise<void> = Promise.resolve();

  constructor(options: RegistrationSetOptions) {
    this.#options = options;
  }

  /**
   * Tells all callers to send no new requests to the instances that `configs` has no more. Resolves
   * to whether there was anybody to tell.
   */
  async retire(configs: readonly RegistrationConfig[]): Promise<boolean> {
    await this.#applied;
    const staying = new Set(configs.map(identityOf));
    const leaving = [...this.#entries.values()].filter(
      ({ config }) => !staying.has(identityOf(config)),
    );
    return this.#drain(leaving);
  }

  /**
   * The instances from now on: those that are new are looked at, those that are gone are drained
   * and leave. Rejects where one cannot begin; the others do, and the next call tries
   * that one again.
   */
  apply(configs: readonly RegistrationConfig[]): Promise<void> {
    const applied = this.#applied.then(() => this.#apply(configs));
    // What failed was told to who asked for it, and is no answer to those who ask later.
    this.#applied = applied.catch(() => undefined);
    return applied;
  }

  /** Tells all callers to send no new requests. Resolves to whether there was anybody to tell. */
  async drain(): Promise<boolean> {
    await this.#applied;
    return this.#drain([...this.#entries.values()]);
  }

  /** Takes all of them out of the mesh. */
  async leave(): Promise<void> {
    await this.#applied;
    await Promise.all(Array.from(this.#entries.values(), ({ instance }) => instance.leave()));
    this.#entries.clear();
  }

  async #apply(configs: readonly RegistrationConfig[]): Promise<void> {
    const before = this.#entries;
    const keys = configs.map((config) => this.#keyOf(config));
    const staying = new Set(configs.map(identityOf));
    for (const [key, { config, instance }] of before) {
      if (keys.includes(key)) continue;
      // One that only changes stays in the mesh as it was until its successor takes its place.
      if (staying.has(identityOf(config))) instance.abandon();
      else void this.#drainAndLeave(instance);
    }
    const next = new Map<string, Entry>();
    const failures: unknown[] = [];
    for (const [i, config] of configs.entries()) {
      const key = keys[i]!;
      const known = before.get(key);
      try {
        next.set(key, known ?? { config, instance: await this.#begin(config) });
      } catch (error) {
        failures.push(error);
      }
    }
    this.#entries = next;
    if (failures.length > 0) throw new AggregateError(failures, failures.map(reasonOf).join('; '));
  }

  /** Never rejects: who was not told finds out, and what waits for it goes on. */
  async #drain(entries: readonly Entry[]): Promise<boolean> {
    const told = await Promise.allSettled(entries.map(({ instance }) => instance.drain()));
    for (const one of told) if (one.status === 'rejected') this.#failedToLeave(one.reason);
    return told.some((one) => one.status === 'fulfilled' && one.value);
  }

  async #drainAndLeave(instance: LocalInstance): Promise<void> {
    try {
      await instance.drain();
      await instance.leave();
    } catch (error) {
      this.#failedToLeave(error);
    }
  }

  #failedToLeave(error: unknown): void {
    this.#options.log.warn({ err: error }, 'callers could not be told that an instance leaves');
  }

  /** All that makes it what it is, with the port of a door that asked for any. */
  #keyOf(config: RegistrationConfig): string {
    const isAnyPort = config.inbound?.port === 0;
    return JSON.stringify([config, isAnyPort ? this.#options.inboundPort(config) : 0]);
  }

  async #begin(config: RegistrationConfig): Promise<LocalInstance> {
    const { backplane, nodeId, zone, monotonic, random, log } = this.#options;
    const { service, application, weight, metadata, priority, healthCheck, protocol } = config;
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
      application,
      probe: createProbe(healthCheck, { protocol }),
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
    if (!isAnywhere(host)) return { host, port };
    const { destination } = this.#options;
    if (destination === undefined) return { host: '127.0.0.1', port };
    return { host: await findAdvertisedHost(destination), port };
  }
}

/** Whom callers take for the same instance. */
function identityOf(config: RegistrationConfig): string {
  const { service, id, advertise, inbound, application } = config;
  return JSON.stringify([service, id ?? advertise ?? inbound ?? application]);
}
