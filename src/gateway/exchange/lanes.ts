/** Which lane serves what: the one place where it is chosen. */
import type { Socket } from 'node:net';
import type { LaneChoice } from '../config/listener-config.ts';
import type { ConnectionOrigin } from './lane-connection.ts';
import { createFullLane, type FullLane, type FullLaneOptions } from './full-lane/full-lane.ts';
import { createWireLane } from './wire-lane/wire-lane.ts';

export interface LanesOptions extends FullLaneOptions {
  readonly lane: LaneChoice;
}

/** All lanes of a listener as one. */
export type Lanes = Omit<FullLane, 'http1'> & {
  http1(socket: Socket, origin: ConnectionOrigin): void;
};

export async function createLanes(options: LanesOptions): Promise<Lanes> {
  const full = await createFullLane(options);
  if (options.lane === 'full') return full;
  const wire = createWireLane({
    ...options,
    handOver: (...connection) => full.http1(...connection),
  });
  return {
    http1: (socket, origin) => wire.serve(socket, origin),
    http2: (socket, origin) => full.http2(socket, origin),
    get connections() {
      return wire.connections + full.connections;
    },
    drain() {
      wire.drain();
      full.drain();
    },
    closeIdle(idleMs) {
      wire.closeIdle(idleMs);
      full.closeIdle(idleMs);
    },
    close() {
      wire.close();
      return full.close();
    },
  };
}
