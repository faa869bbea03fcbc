/** One bound address of a node with workers: accepts and counts connections, and gives them away unread. */
import type { Socket } from 'node:net';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import { createBoundAcceptor } from '../listener/acceptor.ts';
import { loadCertificateStore, type CertificateStore } from '../listener/certificate-store.ts';
import { toListenError, toTlsError } from '../listener/listen-error.ts';
import { isSameConfig, toFacts } from '../listener/listener-facts.ts';
import type { Listener, ListenerOptions } from '../listener/listener.ts';
import { createRefusalLog } from '../listener/refusal-log.ts';
import type { SharedCertificates } from '../listener/shared-certificates.ts';
import type { HandOff } from './hand-off.ts';

export interface FrontListenerDeps {
  readonly handOff: HandOff;
  /** Has all workers drain their side of it. */
  readonly drainWorkers: (key: string) => void;
  readonly certificates: SharedCertificates;
  readonly clock: Clock;
  readonly log: Log;
}

/** Over a listener's deadline: its workers cut what is left, and have to tell. */
const TELLING_MS = 2_000;

/** `key`: of the listener, in all processes of the node. */
export function createFrontListener(
  key: string,
  initial: ListenerOptions,
  { handOff, drainWorkers, certificates: shared, clock, log }: FrontListenerDeps,
): Listener {
  let { config } = initial;
  let facts = toFacts(config, config.port);
  let store: CertificateStore | undefined;
  let updated: Promise<void> = Promise.resolve();
  let ending: Promise<void> | undefined;
  const counts = { accepted: 0, dropped: 0, tlsFailures: 0, proxyRefusals: 0, floods: 0 };
  const refusals = createRefusalLog(log, clock);
  const acceptor = createBoundAcceptor({ paused: true });

  function refuse(limit: object): void {
    counts.dropped++;
    refusals.refused({ listener: config.name, ...limit });
  }

  function accept(socket: Socket): void {
    const { maxConnections } = config.limits;
    // The limit is of the node, and counted here: a server forgets what it has given away.
    if (maxConnections > 0 && handOff.connectionsOf(key) >= maxConnections) {
      socket.destroy();
      refuse({ maxConnections });
      return;
    }
    counts.accepted++;
    handOff.give(key, socket);
  }

  /** For its dates, and since what is made for development is made once, before workers look for it. */
  async function loadCertificates({
    config: { tls },
    dataDir,
  }: ListenerOptions): Promise<CertificateStore | undefined> {
    if (tls === undefined) return undefined;
    const loaded = await loadCertificateStore({ tls, dataDir, clock, log, shared });
    loaded.start();
    return loaded;
  }

  async function adopt(next: ListenerOptions): Promise<void> {
    if (ending !== undefined) return;
    if (!isSameConfig(config.tls, next.config.tls)) {
      const loaded = await loadCertificates(next);
      store?.stop();
      store = loaded;
    }
    ({ config } = next);
    facts = toFacts(config, facts.port);
  }

  async function end(deadlineMs: number): Promise<void> {
    // Node asks its children before it says that a server is closed: what counts is when they are drained.
    void acceptor.close();
    handOff.drop(key);
    drainWorkers(key);
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, deadlineMs + TELLING_MS);
    await Promise.race([handOff.drained(key), enough]);
    clearTimeout(deadline);
    await updated.catch(() => undefined);
    store?.stop();
    handOff.ports.delete(key);
  }

  return {
    async start() {
      try {
        store = await loadCertificates(initial);
      } catch (error) {
        throw toTlsError(error as Error, config);
      }
      try {
        const port = await acceptor.open(config, {
          onConnection: accept,
          onDrop: () => undefined,
          onError: (error) => refuse({ err: error }),
        });
        facts = toFacts(config, port);
        handOff.ports.set(key, port);
        return { port };
      } catch (error) {
        store?.stop();
        throw toListenError(error as NodeJS.ErrnoException, config);
      }
    },
    update(wanted) {
      const { name, door }: ListenerConfig = wanted.config;
      facts = { ...facts, name, door };
      updated = updated.catch(() => undefined).then(() => adopt(wanted));
      return updated;
    },
    drain: (deadlineMs) => (ending ??= end(deadlineMs)),
    stop: () => (ending ??= end(0)),
    get facts() {
      return facts;
    },
    get connections() {
      return handOff.connectionsOf(key);
    },
    get counts() {
      return { ...counts };
    },
    get certificates() {
      return store?.expiries ?? [];
    },
  };
}
