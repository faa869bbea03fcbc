/** All instances that this process has registered. */
import type { Backplane } from '../mesh/backplane/backplane.ts';
import { findAdvertisedHost, type Destination } from '../mesh/node/advertised-host.ts';
import { invalidOption, meshClosed } from './client-error.ts';
import { parseRegistration, type ParsedRegistration } from './parse-registration.ts';
import {
  OwnInstance,
  type InstanceSurroundings,
  type RegisteredInstance,
} from './registered-instance.ts';

export interface RegistrationsOptions extends InstanceSurroundings {
  /** Where Redis is: the way there tells by which address this machine is reached. */
  readonly destination: Destination;
}

export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #instances = new Set<OwnInstance>();
  readonly #closing = new AbortController();

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /** Resolves once it is registered. */
  add(options: unknown): Promise<RegisteredInstance> {
    let parsed: ParsedRegistration;
    try {
      parsed = parseRegistration(options);
    } catch (error) {
      return Promise.reject(error);
    }
    const registered = this.#add(parsed);
    // Not awaited by all: an application may serve, and be registered whenever Redis is there.
    registered.catch(() => {});
    return registered;
  }

  /** Drains them, and takes them out. */
  async close(noticeMs: number | undefined): Promise<void> {
    this.#closing.abort(meshClosed());
    await Promise.all(
      Array.from(this.#instances, async (instance) => {
        await instance.drain({ noticeMs });
        await instance.deregister();
      }),
    );
  }

  async #add(parsed: ParsedRegistration): Promise<RegisteredInstance> {
    const advertised = parsed.advertised ?? (await this.#advertisedOf(parsed));
    this.#closing.signal.throwIfAborted();
    const instance = new OwnInstance(parsed, advertised, this.#options);
    this.#assertNew(instance);
    this.#instances.add(instance);
    try {
      await instance.start(parsed.signal);
    } catch (error) {
      this.#instances.delete(instance);
      throw error;
    }
    return instance;
  }

  /** Two of one id would take it from each other. */
  #assertNew({ service, id }: OwnInstance): void {
    for (const one of this.#instances) {
      if (one.state === 'left' || one.state === 'superseded') this.#instances.delete(one);
      else if (one.service === service && one.id === id) {
        throw invalidOption('id', `${id} is that of an instance of ${service} already`);
      }
    }
  }

  /** Only once Redis is reached: where its name is not known yet, there is no way there either. */
  async #advertisedOf({ application, signal }: ParsedRegistration): Promise<Destination> {
    const { node, destination } = this.#options;
    const closing = this.#closing.signal;
    const ending = signal === undefined ? closing : AbortSignal.any([closing, signal]);
    await untilConnected(node.backplane, ending);
    return { host: await findAdvertisedHost(destination), port: application.port };
  }
}

/** Rejects with the reason of `ending`. */
function untilConnected(backplane: Backplane, ending: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!ending.aborted && !backplane.status().connected) return;
      stopListening();
      ending.removeEventListener('abort', look);
      if (ending.aborted) reject(ending.reason as Error);
      else resolve();
    };
    const stopListening = backplane.onStatus(look);
    ending.addEventListener('abort', look);
    look();
  });
}
