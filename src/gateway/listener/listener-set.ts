/** All listeners of a node: follows the configuration without closing what can stay open. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Config } from '../config/config.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import { allListenersOf } from '../doors/door-listeners.ts';
import type { PreparedListeners } from '../config/snapshot-slot.ts';
import type { CertificateExpiry } from './certificate-store.ts';
import type { Listener, ListenerOptions } from './listener.ts';
import { SharedCertificates } from './shared-certificates.ts';

export interface ListenerSetOptions extends Pick<ListenerOptions, 'dataDir' | 'trusts'> {
  /** `key`: by which it stays the same one through changes of its settings, in each process of the node. */
  readonly create: (
    key: string,
    options: ListenerOptions,
    certificates: SharedCertificates,
  ) => Listener;
  readonly log: Log;
}

interface Entry {
  readonly listener: Listener;
  config: ListenerConfig;
}

export class ListenerSet {
  readonly #options: ListenerSetOptions;
  #entries = new Map<string, Entry>();
  readonly #certificates = new SharedCertificates();
  /** From then on what opens and closes is told: who starts the program is shown where its doors are. */
  #isServing = false;
  /** Removed by a reload, and not yet without connections. */
  readonly #draining = new Set<Promise<void>>();

  constructor(options: ListenerSetOptions) {
    this.#options = options;
  }

  get all(): readonly Listener[] {
    return Array.from(this.#entries.values(), ({ listener }) => listener);
  }

  /**
   * Opens the addresses that `config` adds. Rejects, with none of them open, where one cannot be
   * had; nothing else is touched before `commit`.
   */
  async prepare(config: Config): Promise<PreparedListeners> {
    const opened = new Map<string, Entry>();
    // Before the first snapshot serves there is no other set that they could have.
    if (this.#entries.size === 0) this.#certificates.replace(config.certificates);
    try {
      for (const wanted of allListenersOf(config)) {
        const key = toKey(wanted);
        if (this.#entries.has(key)) continue;
        opened.set(key, await this.#open(key, wanted));
      }
    } catch (error) {
      await stopAll(opened.values());
      throw error;
    }
    return {
      commit: () => this.#commit(config, opened),
      rollback: () => stopAll(opened.values()),
    };
  }

  /**
   * Drains all, each within its own deadline; the outbound door last, since the applications
   * beside this node may have to call others until their last answer is out.
   */
  async drain(): Promise<void> {
    const outbound: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.config.door === 'outbound') outbound.push(entry);
      else this.#drain(entry);
    }
    await Promise.all(this.#draining);
    for (const entry of outbound) this.#drain(entry);
    this.#entries.clear();
    await Promise.all(this.#draining);
  }

  /** Those of the listeners' own, and those that https listeners share. */
  get expiries(): readonly CertificateExpiry[] {
    const own = this.all.flatMap(({ certificates }) => certificates);
    const isSecure = [...this.#entries.values()].some(({ config }) => config.protocol === 'https');
    return isSecure ? [...own, ...this.#certificates.expiries] : own;
  }

  /** Drains the one of this key now, however many others there are. */
  drainOne(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#drain(entry);
  }

  /** The port that a listener of this name has; undefined where there is none. */
  portOf(name: string): number | undefined {
    return this.all.find(({ facts }) => facts.name === name)?.facts.port;
  }

  async #open(key: string, config: ListenerConfig): Promise<Entry> {
    const options = this.#listenerOptions(config);
    const listener = this.#options.create(key, options, this.#certificates);
    await listener.start();
    return { listener, config };
  }

  #commit(config: Config, opened: ReadonlyMap<string, Entry>): void {
    this.#certificates.replace(config.certificates);
    const next = new Map<string, Entry>();
    for (const wanted of allListenersOf(config)) {
      const key = toKey(wanted);
      const entry = opened.get(key) ?? this.#entries.get(key)!;
      next.set(key, entry);
      if (!opened.has(key)) this.#update(entry, wanted);
    }
    for (const [key, entry] of this.#entries) {
      if (next.has(key)) continue;
      this.#log(entry, 'a listener takes no more connections, and drains');
      this.#drain(entry);
    }
    if (this.#isServing) {
      for (const entry of opened.values()) this.#log(entry, 'a listener was opened');
    }
    this.#entries = next;
    this.#isServing = true;
  }

  #update(entry: Entry, config: ListenerConfig): void {
    entry.config = config;
    entry.listener.update(this.#listenerOptions(config)).catch((error: unknown) => {
      // The files were good when the configuration was checked, a moment ago.
      this.#options.log.error(
        { listener: config.name, reason: (error as Error).message },
        'a listener could not take its new settings and keeps the old ones',
      );
    });
  }

  #log({ listener, config: { name, host } }: Entry, text: string): void {
    const { scheme, port } = listener.facts;
    const address = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#options.log.info({ listener: name, address }, text);
  }

  #drain({ listener, config }: Entry): void {
    const drained = listener.drain(config.limits.drainMs).finally(() => {
      this.#draining.delete(drained);
    });
    this.#draining.add(drained);
  }

  #listenerOptions(config: ListenerConfig): ListenerOptions {
    const { dataDir, trusts } = this.#options;
    return { config, dataDir, trusts };
  }
}

/** A listener is its address: it may be renamed and change all its settings without being closed. */
export function toKey({ name, identity = name, host, port, protocol }: ListenerConfig): string {
  // Port 0 is another port for each listener that asks for it.
  return port === 0 ? `${identity}|${host}:0|${protocol}` : `${host}:${port}|${protocol}`;
}

async function stopAll(entries: Iterable<Entry>): Promise<void> {
  await Promise.all(Array.from(entries, ({ listener }) => listener.stop()));
}
