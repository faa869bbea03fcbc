/** The services that this application calls: those it names beforehand, and others from their first call on. */
import { MeshgateError } from '../errors.ts';
import type { EndpointSource } from '../mesh/discovery/endpoint-source.ts';
import { Service, type ServiceEnvironment } from '../mesh/service/service.ts';
import { isCallableName } from './parse-options.ts';
import type { ParsedService } from './parse-service.ts';

export interface ServiceDirectoryOptions {
  readonly named: ReadonlyMap<string, ParsedService>;
  readonly others: ParsedService;
  readonly sourceOf: (service: string) => EndpointSource;
  readonly environment: ServiceEnvironment;
  /** How long the calls to a service may wait to hear of it, in milliseconds. */
  readonly discoveryTimeoutMs: number;
  /** Settles when the first attempt to reach the store has ended, well or not. */
  readonly tried: Promise<void>;
  /** While the store is away: how long it is waited for, or for the disk, in milliseconds. */
  readonly outagePatienceMs: number;
  readonly isConnected: () => boolean;
  /** Why a service may be unheard of, for people. */
  readonly explain: () => string;
}

interface Entry {
  readonly service: Service;
  readonly parsed: ParsedService;
  /** Discovery has spoken. */
  isKnown: boolean;
  /** What the calls wait for; undefined before the first one, and once it took too long. */
  waiting: Promise<void> | undefined;
  isOverdue: boolean;
}

/**
 * A service costs a subscription: who makes up names, such as by a user's input, must not make
 * this process collect them.
 */
const MAX_UNKNOWN = 1000;

export class ServiceDirectory {
  readonly #options: ServiceDirectoryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<() => void>();
  #isStopped = false;

  constructor(options: ServiceDirectoryOptions) {
    this.#options = options;
  }

  /** Looks for the services that are named. */
  start(): void {
    for (const [name, parsed] of this.#options.named) this.#add(name, parsed);
  }

  /** Undefined for a name that cannot be a service's. */
  get(name: string): Service | undefined {
    return this.#entryOf(name)?.service;
  }

  /** Undefined where discovery has spoken, else what a call waits for. Throws where it need not wait. */
  untilKnown({ name }: Service): Promise<void> | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.isKnown) return undefined;
    if (entry.isOverdue) throw this.#unheardOf(name);
    entry.waiting ??= this.#wait(entry);
    return entry.waiting;
  }

  hashHeaderOf({ name }: Service): string | undefined {
    return this.#entries.get(name)?.parsed.hashHeader;
  }

  /** The named services, and these, that nothing was heard of yet. */
  unknown(): readonly string[] {
    return [...this.#options.named.keys()].filter((name) => !this.#entries.get(name)?.isKnown);
  }

  /** Those of them that no endpoint can be called of. Looks for them from now on. */
  withoutEndpoint(names: readonly string[]): readonly string[] {
    return names.filter((name) => {
      const endpoints = this.get(name)?.endpoints ?? [];
      return !endpoints.some(({ draining, weight }) => !draining && weight > 0);
    });
  }

  /** Hears each word of discovery; returns how to stop that. */
  onHeard(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the calls in flight have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(Array.from(this.#entries.values(), ({ service }) => service.stop()));
  }

  #entryOf(name: string): Entry | undefined {
    const known = this.#entries.get(name);
    if (known !== undefined || this.#isStopped || !isCallableName(name)) return known;
    this.#forgetOne();
    return this.#add(name, this.#options.others);
  }

  #add(name: string, parsed: ParsedService): Entry {
    const { sourceOf, environment } = this.#options;
    const source = sourceOf(name);
    const service = new Service(
      {
        ...parsed,
        name,
        source: {
          start: (listener) =>
            source.start((specs) => {
              entry.isKnown = true;
              listener(specs);
              for (const heard of this.#listeners) heard();
            }),
          stop: () => source.stop(),
        },
      },
      environment,
    );
    const entry: Entry = {
      service,
      parsed,
      isKnown: false,
      waiting: undefined,
      isOverdue: false,
    };
    this.#entries.set(name, entry);
    service.start();
    return entry;
  }

  async #wait(entry: Entry): Promise<void> {
    const { discoveryTimeoutMs, outagePatienceMs, tried, isConnected } = this.#options;
    const { ready, name } = entry.service;
    const enough = Promise.withResolvers<void>();
    const timer = setTimeout(enough.resolve, discoveryTimeoutMs);
    await Promise.race([ready, enough.promise, tried]);
    const outageTimer = isConnected() ? undefined : setTimeout(enough.resolve, outagePatienceMs);
    if (!entry.isKnown) await Promise.race([ready, enough.promise]);
    clearTimeout(timer);
    clearTimeout(outageTimer);
    if (entry.isKnown) return;
    entry.isOverdue = true;
    throw this.#unheardOf(name);
  }

  #unheardOf(name: string): MeshgateError {
    return new MeshgateError('no_healthy_endpoint', {
      status: 503,
      detail: 'No endpoint of the service can take the request.',
      cause: new Error(`nothing is known of the service ${name}: ${this.#options.explain()}`),
    });
  }

  /** Room for one more: the first of those that nobody has registered, and nobody calls. */
  #forgetOne(): void {
    const { named } = this.#options;
    if (this.#entries.size - named.size < MAX_UNKNOWN) return;
    for (const [name, { service }] of this.#entries) {
      if (named.has(name) || service.endpoints.length > 0 || service.breaker.active > 0) continue;
      this.#entries.delete(name);
      void service.stop();
      return;
    }
  }
}
