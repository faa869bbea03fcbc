/** Joins an upgraded client connection with its upstream: bytes both ways until both have ended. */
import type { Duplex } from 'node:stream';
import { GOING_AWAY } from '../exchange/going-away.ts';
import { closeFrame, FrameTracker } from './tunnel-frames.ts';

export interface TunnelOptions {
  /** Without a byte either way, in milliseconds; then both are told 1001. 0: no limit. */
  readonly idleTimeoutMs: number;
  /** Once, when both sides are gone; bytes of the client and of the upstream. */
  readonly onClosed: (bytesUp: number, bytesDown: number) => void;
}

export interface Tunnel {
  /** Tells both sides by a Close frame between two frames, gives them a second, and closes. */
  close(code: 1001): void;
}

/** How long the peers have to answer a Close frame, or to take what is still to be written. */
const FAREWELL_MS = 1000;

/** One direction. */
interface Way {
  readonly from: Duplex;
  readonly to: Duplex;
  readonly frames: FrameTracker;
  /** The frame that is to be put in at the next boundary. */
  farewell: Buffer | undefined;
  /** A Close frame of ours has gone out: what still comes is read and dropped. */
  said: boolean;
  bytes: number;
  /** `from` has closed. */
  gone: boolean;
}

/**
 * Relays with back-pressure and half-close. The listener's leave-taking reaches it as
 * GOING_AWAY on `client`.
 */
export function joinTunnel(client: Duplex, upstream: Duplex, options: TunnelOptions): Tunnel {
  const up = createWay(client, upstream);
  const down = createWay(upstream, client);
  let farewellTimer: NodeJS.Timeout | undefined;
  let alive = 2;
  const idleTimer =
    options.idleTimeoutMs > 0
      ? setTimeout(() => close(1001), options.idleTimeoutMs).unref()
      : undefined;

  relay(up);
  relay(down);
  client.once(GOING_AWAY, () => close(1001));

  function relay(way: Way): void {
    const { from, to } = way;
    from.on('data', (chunk: Uint8Array) => {
      way.bytes += chunk.length;
      idleTimer?.refresh();
      if (!pass(way, chunk)) from.pause();
      if (farewellTimer !== undefined) partIfAnswered();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => ended(way));
    from.on('error', () => from.destroy());
    from.on('close', () => gone(way));
    // A side that had ended or closed before it was joined does not say so again.
    if (from.readableEnded) queueMicrotask(() => ended(way));
    if (from.closed) queueMicrotask(() => gone(way));
  }

  function ended({ to }: Way): void {
    // The other side may still have much to say.
    if (!to.writableEnded) to.end();
    if (farewellTimer !== undefined) partIfAnswered();
  }

  function gone(way: Way): void {
    if (way.gone) return;
    way.gone = true;
    if (--alive === 0) finish();
    else leave(way);
  }

  /** False: `to` is slow. */
  function pass(way: Way, chunk: Uint8Array): boolean {
    const { to, frames } = way;
    const dropped = way.said || to.destroyed || to.writableEnded;
    const end = frames.advance(chunk, way.farewell !== undefined);
    if (dropped) return true;
    const flowing = to.write(end === chunk.length ? chunk : chunk.subarray(0, end));
    if (way.farewell !== undefined && frames.atBoundary) {
      sayFarewell(way);
      // What the peer says after ours is only looked at for its own Close frame.
      if (end < chunk.length) frames.advance(chunk.subarray(end), false);
    }
    return flowing;
  }

  function sayFarewell(way: Way): void {
    // After a Close frame of the peer's own nothing may follow (RFC 6455 §5.5.1).
    if (!way.frames.closing && way.farewell !== undefined) way.to.write(way.farewell);
    way.farewell = undefined;
    way.said = true;
  }

  function close(code: 1001): void {
    if (farewellTimer !== undefined || alive === 0) return;
    farewellTimer = setTimeout(cut, FAREWELL_MS);
    for (const way of [up, down]) {
      if (way.to.destroyed || way.to.writableEnded) continue;
      way.farewell = closeFrame(code, way === up);
      if (way.frames.atBoundary) sayFarewell(way);
      // A peer that is held back could not answer.
      way.from.resume();
    }
    partIfAnswered();
  }

  /** Both have said Close, or can say nothing more. */
  function partIfAnswered(): void {
    for (const { from, frames } of [up, down]) {
      if (!frames.closing && !from.readableEnded && !from.destroyed) return;
    }
    for (const { from } of [up, down]) from.end(() => from.destroy());
  }

  /** One side has gone: what it said last still reaches the other. */
  function leave({ from, to }: Way): void {
    if (to.destroyed) return;
    if (!from.readableEnded) {
      to.destroy();
      return;
    }
    farewellTimer ??= setTimeout(cut, FAREWELL_MS);
    to.resume();
    to.end(() => to.destroy());
  }

  function cut(): void {
    client.destroy();
    upstream.destroy();
  }

  function finish(): void {
    clearTimeout(idleTimer);
    clearTimeout(farewellTimer);
    options.onClosed(up.bytes, down.bytes);
  }

  return { close };
}

function createWay(from: Duplex, to: Duplex): Way {
  return {
    from,
    to,
    frames: new FrameTracker(),
    farewell: undefined,
    said: false,
    bytes: 0,
    gone: false,
  };
}
