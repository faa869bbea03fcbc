/** Where a listener's connections come from: an address that it has itself, or whoever has it for several processes. */
import { createServer, type Socket } from 'node:net';
import type { ListenerConfig } from '../config/listener-config.ts';
import { bindServer } from './bind-server.ts';

export interface Acceptor {
  /** Resolves to the port. Rejects, with the system's error, where the address cannot be had. */
  open(config: ListenerConfig, events: AcceptorEvents): Promise<number>;
  /** More connections than this at once are turned away; 0 is no limit. */
  limit(connections: number): void;
  /** Takes no more; resolves when none of those it gave is left. */
  close(): Promise<void>;
}

export interface AcceptorEvents {
  readonly onConnection: (socket: Socket) => void;
  /** One was turned away: there were `maxConnections` already. */
  readonly onDrop: (maxConnections: number) => void;
  /** One could not be accepted. */
  readonly onError: (error: Error) => void;
}

export interface BoundAcceptorOptions {
  /** Shares the port with other processes (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean | undefined;
  /** Nothing is read of the connections: somebody else will. Default false. */
  readonly paused?: boolean | undefined;
}

/** A peer whose machine has vanished is found out by TCP keep-alive, tunnels included. */
const KEEP_ALIVE_PROBE_MS = 60_000;

/** Listens itself. */
export function createBoundAcceptor(options: BoundAcceptorOptions = {}): Acceptor {
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    pauseOnConnect: options.paused === true,
  });
  return {
    async open(config, { onConnection, onDrop, onError }) {
      server.on('connection', onConnection);
      server.on('drop', () => onDrop(server.maxConnections));
      await bindServer(server, config, options.reusePort === true);
      server.on('error', onError);
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : config.port;
    },
    limit(connections) {
      // Node closes what comes above it before a Socket is made.
      server.maxConnections = connections || Number.MAX_SAFE_INTEGER;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
