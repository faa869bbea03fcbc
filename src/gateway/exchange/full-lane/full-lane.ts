/** The lane that speaks all of HTTP/1 and HTTP/2, by node:http under Fastify and node:http2. */
import type { Socket } from 'node:net';
import type { Connection } from '../connection.ts';
import type { Http1Limits, Http1Surroundings } from '../http1-surroundings.ts';
import type { ConnectionOrigin } from '../lane-connection.ts';
import { createHttp1Server } from './http1-server.ts';
import { createHttp2Server } from './http2-server.ts';

export interface FullLaneLimits extends Http1Limits {
  /** HTTP/2 streams at a time. */
  readonly maxStreams: number;
}

export interface FullLaneOptions extends Http1Surroundings {
  readonly limits: FullLaneLimits;
  /** An HTTP/2 connection spent its budget of frames and was closed. */
  readonly onFlood: (connection: Connection, what: string) => void;
}

export interface FullLane {
  /** `served`: requests of the connection that another lane has served before. */
  http1(socket: Socket, origin: ConnectionOrigin, served?: number): void;
  http2(socket: Socket, origin: ConnectionOrigin): void;
  /** Connections it carries. */
  readonly connections: number;
  /** Says `Connection: close` and GOAWAY from now on; tells tunnels. */
  drain(): void;
  /** Closes what has been idle for so long since; after `drain`. */
  closeIdle(idleMs: number): void;
  /** Ends its timers; its connections must be gone. */
  close(): Promise<void>;
}

export async function createFullLane(options: FullLaneOptions): Promise<FullLane> {
  const { clock } = options;
  const http1 = await createHttp1Server(options);
  const http2 = createHttp2Server(options);
  let goneAwayAtMs: number | undefined;

  return {
    http1(socket, origin, served) {
      const session = http1.serve(socket, origin, served);
      // It was on its way here, in a handshake or on another lane, when the others were told.
      if (goneAwayAtMs !== undefined) session.drain();
    },
    http2: (socket, origin) => http2.serve(socket, origin),
    get connections() {
      return http1.sessions.size + http2.sessions.size;
    },
    drain() {
      goneAwayAtMs ??= clock.monotonic();
      for (const session of http1.sessions) session.drain();
      for (const session of http2.sessions) session.drain();
    },
    closeIdle(idleMs) {
      const now = clock.monotonic();
      for (const session of http1.sessions) {
        if (session.idleFor(now) >= idleMs) session.socket.destroySoon();
      }
      if (now - (goneAwayAtMs ?? now) >= idleMs) {
        for (const session of http2.sessions) session.close();
      }
    },
    async close() {
      http2.close();
      await http1.close();
    },
  };
}
