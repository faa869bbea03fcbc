/**
 * Stands in for the wire lane where tests run on the full lane alone: whatever the listener is, one of a
 * configuration, a mesh door or a demo's, each connection is the full lane's from its first byte.
 */
import type { WireLane, WireLaneOptions } from '../../src/gateway/exchange/wire-lane/wire-lane.ts';

export function createWireLane({ handOver }: WireLaneOptions): WireLane {
  return {
    serve: (socket, origin) => handOver(socket, origin, 0),
    connections: 0,
    drain: () => undefined,
    closeIdle: () => undefined,
    close: () => undefined,
  };
}
