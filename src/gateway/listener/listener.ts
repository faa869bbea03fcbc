/** One bound address: accepts connections, limits them, follows the configuration, drains. */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import type { ListenerFacts } from '../exchange/connection.ts';
import type { ListenerView } from '../exchange/lane-connection.ts';
import { createLanes, type Lanes } from '../exchange/lanes.ts';
import type { Door } from '../exchange/lane.ts';
import type { SocketShare } from '../../mesh/transport/socket-budget.ts';
import { createBoundAcceptor, type Acceptor } from './acceptor.ts';
import {
  loadCertificateStore,
  type CertificateExpiry,
  type CertificateStore,
} from './certificate-store.ts';
import { Entrance } from './entrance.ts';
import { toListenError, toTlsError } from './listen-error.ts';
import { isSameConfig, toFacts, toLaneLimits } from './listener-facts.ts';
import { createRefusalLog } from './refusal-log.ts';
import type { SharedCertificates } from './shared-certificates.ts';
import { createTlsDoor, type TlsDoor } from './tls-door.ts';

export interface ListenerOptions {
  readonly config: ListenerConfig;
  /** Absolute path; where a development certificate is kept. */
  readonly dataDir: string;
  /** Whether an address, in canonical text, is in `trustedProxies`. */
  readonly trusts: (address: string) => boolean;
  /** Shares the port with other processes (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean;
}

export interface ListenerDeps {
  readonly door: Door;
  readonly log: Log;
  readonly clock: Clock;
  /** Of all https listeners; default: each has its own alone. */
  readonly certificates?: SharedCertificates | undefined;
  /** What the process has for the connections of all listeners together; undefined: no limit is known. */
  readonly sockets?: SocketShare | undefined;
  /** Gives it its connections. Default: it listens itself. */
  readonly acceptor?: Acceptor | undefined;
  /** 48 bytes, by which whoever else has them takes up its TLS sessions. Default: its own. */
  readonly ticketKeys?: Buffer | undefined;
}

/** Totals since the start. */
export interface ListenerCounts {
  readonly accepted: number;
  /** Over `maxConnections`, or over what the process may have. */
  readonly dropped: number;
  readonly tlsFailures: number;
  /** PROXY headers that were malformed, or from addresses that are not trusted. */
  readonly proxyRefusals: number;
  /** HTTP/2 connections that spent their budget of frames. */
  readonly floods: number;
}

export interface Listener {
  /** @throws ListenError where the address cannot be had or a certificate not be used. */
  start(): Promise<{ readonly port: number }>;
  /**
   * Takes new limits, hosts and TLS material for connections to come; the socket stays open.
   * Another address or protocol is another listener. Rejects, and changes nothing but the
   * name, where a certificate cannot be used.
   */
  update(options: ListenerOptions): Promise<void>;
  /**
   * Accepts no more; `Connection: close`, GOAWAY and 1001 go out; what is left after
   * `deadlineMs` is cut. Resolves when no connection is left.
   */
  drain(deadlineMs: number): Promise<void>;
  /** Cuts everything now. */
  stop(): Promise<void>;
  readonly facts: ListenerFacts;
  readonly connections: number;
  readonly counts: ListenerCounts;
  readonly certificates: readonly CertificateExpiry[];
}

/** While draining, a connection that was busy this recently may have a request on its way. */
const IDLE_GRACE_MS = 500;
const SWEEP_MS = 50;

interface Security {
  readonly store: CertificateStore;
  readonly door: TlsDoor;
}

export function createListener(initial: ListenerOptions, deps: ListenerDeps): Listener {
  const { door, log, clock, sockets: share, certificates: shared } = deps;
  let options = initial;
  const view: ListenerView = { facts: toFacts(options.config, options.config.port) };
  const sockets = new Set<Socket>();
  const lanes = new Set<Lanes>();
  let lane: Lanes;
  let security: Security | undefined;
  let updated: Promise<void> = Promise.resolve();
  let ending: Promise<void> | undefined;
  const counts = { accepted: 0, dropped: 0, tlsFailures: 0, proxyRefusals: 0, floods: 0 };
  const refusals = createRefusalLog(log, clock);
  const entrance = new Entrance({
    terms: () => ({ config: options.config, trusts: options.trusts, lane, tls: security?.door }),
    onProxyRefused: (address, reason) => {
      counts.proxyRefusals++;
      log.warn({ listener: options.config.name, peer: address, reason }, 'PROXY header refused');
    },
  });
  const acceptor = deps.acceptor ?? createBoundAcceptor({ reusePort: initial.reusePort });

  function accept(socket: Socket): void {
    if (share?.tryTake() === false) {
      socket.destroy();
      refuse({ maxAccepted: share.limit });
      return;
    }
    counts.accepted++;
    sockets.add(socket);
    // Whoever serves the connection hears of its end by 'close'.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      share?.giveBack();
      retireLanes();
    });
    entrance.admit(socket);
  }

  /** `limit`: by its name. */
  function refuse(limit: object): void {
    counts.dropped++;
    refusals.refused({ listener: options.config.name, ...limit });
  }

  async function openLanes(config: ListenerConfig): Promise<Lanes> {
    const made = await createLanes({
      door,
      view,
      clock,
      lane: config.lane,
      limits: toLaneLimits(config),
      onFlood: (connection, what) => {
        counts.floods++;
        log.warn(
          { listener: config.name, peer: connection.address, frames: what },
          'An HTTP/2 connection sent too many frames that are no requests and was closed',
        );
      },
    });
    lanes.add(made);
    return made;
  }

  /** A lane whose limits were replaced is let go when its last connection is gone. */
  function retireLanes(): void {
    if (lanes.size === 1 || ending !== undefined) return;
    for (const old of lanes) {
      if (old === lane || old.connections > 0) continue;
      lanes.delete(old);
      void old.close();
    }
  }

  async function secure({ config, dataDir }: ListenerOptions): Promise<Security | undefined> {
    const { tls } = config;
    if (tls === undefined) return undefined;
    const store = await loadCertificateStore({ tls, dataDir, clock, log, shared });
    store.start();
    return {
      store,
      door: createTlsDoor({
        store,
        clientAuth: tls.clientAuth,
        ticketKeys: deps.ticketKeys,
        onSecure: (socket, protocol) => entrance.secured(socket, protocol),
        onFailed: () => counts.tlsFailures++,
      }),
    };
  }

  async function adopt(next: ListenerOptions): Promise<void> {
    if (ending !== undefined) return;
    const before = options.config;
    const after = next.config;
    const keepsTls = isSameConfig(before.tls, after.tls);
    const nextSecurity = keepsTls ? security : await secure(next);
    const keepsLane =
      before.lane === after.lane && isSameConfig(toLaneLimits(before), toLaneLimits(after));
    if (!keepsLane) lane = await openLanes(after);
    if (!keepsTls) security?.store.stop();
    security = nextSecurity;
    options = next;
    acceptor.limit(after.limits.maxConnections);
    view.facts = toFacts(after, view.facts.port);
    retireLanes();
  }

  async function end(deadlineMs: number): Promise<void> {
    const closed = acceptor.close();
    for (const each of lanes) each.drain();
    const graceMs = Math.min(IDLE_GRACE_MS, deadlineMs / 2);
    const sweep = setInterval(() => {
      for (const each of lanes) each.closeIdle(graceMs);
    }, SWEEP_MS);
    // Connections that were opened in advance, and never said a word.
    const grace = setTimeout(() => {
      for (const socket of entrance.entering) socket.destroy();
    }, graceMs);
    const deadline = setTimeout(cut, deadlineMs);
    await closed;
    // The acceptor may count a socket out before the socket tells: what it carried ends only then.
    while (sockets.size > 0 || busyLanes()) await nextTurn();
    clearInterval(sweep);
    clearTimeout(grace);
    clearTimeout(deadline);
    await updated.catch(() => undefined);
    security?.store.stop();
    await Promise.all(Array.from(lanes, (each) => each.close()));
    lanes.clear();
  }

  function busyLanes(): boolean {
    return Array.from(lanes).some(({ connections }) => connections > 0);
  }

  function cut(): void {
    view.facts = { ...view.facts, isCut: true };
    for (const socket of sockets) socket.destroy();
  }

  return {
    async start() {
      const { config } = options;
      try {
        security = await secure(options);
      } catch (error) {
        throw toTlsError(error as Error, config);
      }
      lane = await openLanes(config);
      acceptor.limit(config.limits.maxConnections);
      try {
        const port = await acceptor.open(config, {
          onConnection: accept,
          onDrop: (maxConnections) => refuse({ maxConnections }),
          onError: (error) => refuse({ err: error }),
        });
        view.facts = toFacts(config, port);
        return { port };
      } catch (error) {
        security?.store.stop();
        await lane.close();
        throw toListenError(error as NodeJS.ErrnoException, config);
      }
    },

    update(wanted) {
      // At once, and whatever comes of the rest: the snapshot that serves knows it by this name.
      const { name, door } = wanted.config;
      view.facts = { ...view.facts, name, door };
      // One after the other: each compares with what the one before has left.
      updated = updated.catch(() => undefined).then(() => adopt(wanted));
      return updated;
    },

    drain(deadlineMs) {
      return (ending ??= end(deadlineMs));
    },

    stop() {
      ending ??= end(0);
      cut();
      return ending;
    },

    get facts() {
      return view.facts;
    },
    get connections() {
      return sockets.size;
    },
    get counts() {
      return { ...counts };
    },
    get certificates() {
      return security?.store.expiries ?? [];
    },
  };
}
