/** Starts and stops one instance's server. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { toInstanceName, type DemoInstance } from './instances.ts';

export interface ListeningInstance {
  readonly server: Server;
  /** With the port that it has got. */
  readonly instance: DemoInstance;
  /** Cuts off whoever is still connected. */
  stop(): Promise<void>;
}

/** Rejects with what to do about it where the port is taken. */
export async function startListening(wanted: DemoInstance): Promise<ListeningInstance> {
  const { port } = wanted;
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    const name = toInstanceName(wanted);
    throw new Error(
      `port ${port} of 127.0.0.1, which the demo needs for ${name}, is taken; stop what listens there`,
      { cause },
    );
  }
  // The server itself forgets those that became WebSockets.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('clientError', (_error, socket: Duplex) => socket.destroy());
  return {
    server,
    instance: { ...wanted, port: (server.address() as AddressInfo).port },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
