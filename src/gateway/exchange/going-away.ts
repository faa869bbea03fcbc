/** The event by which a draining listener tells a tunnel, over the stream it was handed, to take its leave. */

/** Emitted once, without arguments, on the Duplex that `Downstream.upgrade` returned. */
export const GOING_AWAY = Symbol('meshgate.goingAway');
