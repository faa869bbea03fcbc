/** The lane that serves plain HTTP/1.1 straight on the socket, and hands over whatever it does not fully understand. */
import type { Socket } from 'node:net';
import type { Http1Surroundings } from '../http1-surroundings.ts';
import type { ConnectionOrigin } from '../lane-connection.ts';
import { toHeadEnds } from './wire-answer-head.ts';
import { HeadReader } from './wire-head.ts';
import { WireSession } from './wire-session.ts';
import type { WireSurroundings } from './wire-surroundings.ts';

export interface WireLaneOptions extends Http1Surroundings {
  /** See WireSurroundings. */
  readonly handOver: WireSurroundings['handOver'];
}

export interface WireLane {
  /** Takes a connection whose bytes should be HTTP/1. */
  serve(socket: Socket, origin: ConnectionOrigin): void;
  /** Connections it carries; those that were handed over are the other lane's. */
  readonly connections: number;
  /** Says `Connection: close` from now on. */
  drain(): void;
  /** Closes what has been idle for so long. */
  closeIdle(idleMs: number): void;
  /** Ends its timer; its connections must be gone. */
  close(): void;
}

const SECOND_MS = 1000;
/** Deadlines are looked at that many times before they pass, or once a second. */
const LOOKS_PER_DEADLINE = 4;
const SHORTEST_SWEEP_MS = 50;

export function createWireLane(options: WireLaneOptions): WireLane {
  const { limits, clock } = options;
  const sessions = new Set<WireSession>();
  const shared: WireSurroundings = {
    door: options.door,
    view: options.view,
    clock,
    limits,
    reader: new HeadReader(limits),
    headEnds: toHeadEnds(limits.idleTimeoutMs),
    handOver: options.handOver,
    sessions,
  };
  const shortestMs = Math.min(limits.headerTimeoutMs, limits.idleTimeoutMs);
  const sweepMs = Math.max(
    SHORTEST_SWEEP_MS,
    Math.min(SECOND_MS, Math.ceil(shortestMs / LOOKS_PER_DEADLINE)),
  );
  let isDraining = false;
  let sinceSecondMs = 0;
  // One timer for all, since one for each request would cost more than the request.
  const timer = setInterval(() => {
    const nowMs = clock.monotonic();
    sinceSecondMs += sweepMs;
    const isSecond = sinceSecondMs >= SECOND_MS;
    if (isSecond) sinceSecondMs -= SECOND_MS;
    for (const session of sessions) {
      session.sweep(nowMs);
      if (isSecond) session.checkPace();
    }
  }, sweepMs).unref();

  return {
    serve(socket, origin) {
      const session = new WireSession(socket, origin, shared);
      // It was on its way here, in a handshake, when the others were told.
      session.isDraining = isDraining;
      session.start();
    },
    get connections() {
      return sessions.size;
    },
    drain() {
      isDraining = true;
      for (const session of sessions) session.isDraining = true;
    },
    closeIdle(idleMs) {
      const nowMs = clock.monotonic();
      for (const session of sessions) {
        if (session.idleFor(nowMs) >= idleMs) session.socket.destroySoon();
      }
    },
    close: () => clearInterval(timer),
  };
}
