/** One bound address: accepts connections, limits them, hands them to the lane, drains. */
import { createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { ListenerFacts } from '../exchange/connection.ts';
import type { ConnectionOrigin, ListenerView } from '../exchange/full-lane-connection.ts';
import { createFullLane, type FullLane, type FullLaneLimits } from '../exchange/full-lane.ts';
import type { Door } from '../exchange/lane.ts';
import { loadCertificateStore, type CertificateExpiry, type CertificateStore } from './certificate-store.ts';
import { ListenError, toListenError } from './listen-error.ts';
import { readOpening } from './opening-bytes.ts';
import { toPeerTls } from './peer-tls.ts';
import { sniffProtocol } from './protocol-sniff.ts';
import { parseProxyHeader, toCanonical, type ProxySource } from './proxy-protocol.ts';
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
}

/** Totals since the start. */
export interface ListenerCounts {
  readonly accepted: number;
  /** Over `maxConnections`. */
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
   * Another address or protocol is another listener. Rejects, and changes nothing, where a
   * certificate cannot be used.
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
/** A peer whose machine has vanished is found out by TCP keep-alive, tunnels included. */
const KEEP_ALIVE_PROBE_MS = 60_000;
const BACKLOG = 1024;

interface Security {
  readonly store: CertificateStore;
  readonly door: TlsDoor;
}

export function createListener(initial: ListenerOptions, deps: ListenerDeps): Listener {
  const { door, log, clock } = deps;
  let options = initial;
  const view: ListenerView = { facts: toFacts(options.config, options.config.port) };
  const sockets = new Set<Socket>();
  /** Of connections whose handshake is under way, by their addresses. */
  const sources = new Map<string, ProxySource>();
  const lanes = new Set<FullLane>();
  let lane: FullLane;
  let security: Security | undefined;
  let ending: Promise<void> | undefined;
  const counts = { accepted: 0, dropped: 0, tlsFailures: 0, proxyRefusals: 0, floods: 0 };

  const server = createServer(
    {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    },
    accept,
  );
  server.on('drop', () => counts.dropped++);

  function accept(socket: Socket): void {
    counts.accepted++;
    sockets.add(socket);
    // Whoever serves the connection hears of its end by 'close'.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      sources.delete(addressKey(socket));
      retireLanes();
    });
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const peer = { address: toCanonical(socket.remoteAddress), port: socket.remotePort! };
    if (options.config.proxyProtocol) readProxyHeader(socket, peer);
    else enter(socket, peer);
  }

  function readProxyHeader(socket: Socket, peer: ProxySource): void {
    // Whoever may send this header may claim any address.
    if (!options.trusts(peer.address)) {
      counts.proxyRefusals++;
      log.debug({ listener: options.config.name, peer: peer.address }, 'PROXY peer not trusted');
      socket.destroy();
      return;
    }
    readOpening(socket, options.config.limits.headerTimeoutMs, {
      judge: (bytes) => {
        const header = parseProxyHeader(bytes);
        return header.kind === 'partial' ? undefined : header;
      },
      onJudged: (header, bytes) => {
        if (header.kind !== 'complete') {
          counts.proxyRefusals++;
          log.warn({ listener: options.config.name, peer: peer.address }, 'PROXY header malformed');
          socket.destroy();
          return;
        }
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
        enter(socket, header.source ?? peer);
      },
    });
  }

  function enter(socket: Socket, source: ProxySource): void {
    if (security !== undefined) {
      sources.set(addressKey(socket), source);
      security.door.secure(socket);
      return;
    }
    readOpening(socket, options.config.limits.headerTimeoutMs, {
      judge: sniffProtocol,
      onJudged: (protocol, bytes) => {
        socket.unshift(bytes);
        serve(socket, protocol, toOrigin(source));
      },
    });
  }

  function entered(socket: TLSSocket, protocol: 'h2' | 'http1'): void {
    const key = addressKey(socket);
    const source = sources.get(key);
    sources.delete(key);
    socket.on('error', () => undefined);
    if (source === undefined) socket.destroy();
    else serve(socket, protocol, { ...toOrigin(source), tls: toPeerTls(socket) });
  }

  function serve(socket: Socket, protocol: 'h2' | 'http1', origin: ConnectionOrigin): void {
    if (protocol === 'h2') lane.http2(socket, origin);
    else lane.http1(socket, origin);
  }

  function toOrigin(source: ProxySource): ConnectionOrigin {
    const { address, port } = source;
    return { address, port, trusted: options.trusts(address), tls: undefined };
  }

  async function createLane(config: ListenerConfig): Promise<FullLane> {
    const made = await createFullLane({
      door,
      view,
      clock,
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
    for (const old of lanes) {
      if (old === lane || old.connections > 0) continue;
      lanes.delete(old);
      void old.close();
    }
  }

  async function secure(next: ListenerOptions): Promise<Security | undefined> {
    const { tls } = next.config;
    if (tls === undefined) return undefined;
    const store = await loadCertificateStore({ tls, dataDir: next.dataDir, clock, log });
    store.start();
    return {
      store,
      door: createTlsDoor({
        store,
        clientAuth: tls.clientAuth,
        onSecure: entered,
        onFailed: () => counts.tlsFailures++,
      }),
    };
  }

  async function end(deadlineMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const each of lanes) each.drain();
    const graceMs = Math.min(IDLE_GRACE_MS, deadlineMs / 2);
    const sweep = setInterval(() => {
      for (const each of lanes) each.closeIdle(graceMs);
    }, SWEEP_MS);
    const deadline = setTimeout(cut, deadlineMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(deadline);
    security?.store.stop();
    await Promise.all([...lanes].map((each) => each.close()));
    lanes.clear();
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
  }

  return {
    async start() {
      const { config } = options;
      try {
        security = await secure(options);
      } catch (error) {
        throw new ListenError(
          'ERR_LISTENER_TLS',
          `Listener "${config.name}" cannot serve TLS: ${(error as Error).message}`,
          error,
        );
      }
      lane = await createLane(config);
      limitConnections(config);
      try {
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen(
            {
              host: config.host,
              port: config.port,
              backlog: BACKLOG,
              reusePort: options.reusePort === true,
            },
            () => {
              server.off('error', reject);
              resolve();
            },
          );
        });
      } catch (error) {
        security?.store.stop();
        await lane.close();
        throw toListenError(error as NodeJS.ErrnoException, config);
      }
      server.on('error', (error) => log.error({ err: error, listener: config.name }, 'Accept failed'));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : config.port;
      view.facts = toFacts(config, port);
      return { port };
    },

    async update(next) {
      const before = options.config;
      const after = next.config;
      const tlsChanged = !isEqual(before.tls, after.tls);
      const nextSecurity = tlsChanged ? await secure(next) : security;
      if (!isEqual(toLaneLimits(before), toLaneLimits(after))) lane = await createLane(after);
      if (tlsChanged) {
        security?.store.stop();
        security = nextSecurity;
      }
      options = next;
      limitConnections(after);
      view.facts = toFacts(after, view.facts.port);
      retireLanes();
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

  function limitConnections(config: ListenerConfig): void {
    // Node closes what comes above it before a Socket is made.
    server.maxConnections = config.limits.maxConnections || Number.MAX_SAFE_INTEGER;
  }
}

function toFacts(config: ListenerConfig, port: number): ListenerFacts {
  return {
    name: config.name,
    port,
    scheme: config.protocol,
    hosts: config.hosts,
    maxBodyBytes: config.limits.maxBodyBytes,
    maxTargetBytes: config.limits.maxUrlBytes,
  };
}

function toLaneLimits(config: ListenerConfig): FullLaneLimits {
  const { limits } = config;
  return {
    maxHeaderFields: limits.maxHeaderFields,
    maxHeaderBytes: limits.maxHeaderBytes,
    maxTargetBytes: limits.maxUrlBytes,
    headerTimeoutMs: limits.headerTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    maxRequestsPerConnection: limits.maxRequestsPerConnection,
    maxStreams: limits.maxStreams,
  };
}

/** A connection's four-tuple without the listening port, which is one. */
function addressKey(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localAddress}`;
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
