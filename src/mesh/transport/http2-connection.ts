/** One HTTP/2 session: its streams, their deadlines, and its own end by idleness, GOAWAY or silence. */
import type { ClientHttp2Session, ClientHttp2Stream, Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { DeadlineTimer } from './deadline-timer.ts';
import type { DeadlineOwner } from './deadline-timer.ts';
import type { Http2Call } from './http2-call.ts';
import type { Http2Link } from './http2-connector.ts';
import { toRequestFields } from './http2-request-fields.ts';
import type { RequestOrigin } from './http2-request-fields.ts';
import { toUnsentError } from './upstream-error.ts';

/** The pool that the connection belongs to. */
export interface Http2ConnectionOwner {
  /** A stream may be free: one has ended, or the peer allows more. */
  onRoom(connection: Http2Connection): void;
  /** It takes no new tries; those in flight go on. */
  onDraining(connection: Http2Connection): void;
  /** It is gone. Told once. */
  onGone(connection: Http2Connection): void;
}

export interface Http2ConnectionOptions {
  readonly origin: RequestOrigin;
  /** How long it is kept without a stream. */
  readonly keepAliveMs: number;
  readonly maxHeadBytes: number;
  /** A connection with streams that has been silent for so long is asked by PING whether it lives. */
  readonly pingAfterMs: number;
  /** How long the answer may take before the connection is given up. */
  readonly pingTimeoutMs: number;
}

/** How long a closed session waits for the peer to close as well, in milliseconds. */
const LINGER_MS = 1000;

/** Stream identifiers end at 2^31 and only the odd ones are ours (RFC 9113 §5.1.1); well before, we change the connection. */
const MAX_STREAMS_EVER = 1_000_000_000;

export class Http2Connection implements DeadlineOwner {
  readonly maxHeadBytes: number;
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #owner: Http2ConnectionOwner;
  readonly #options: Http2ConnectionOptions;
  readonly #timer: DeadlineTimer;
  readonly #calls = new Set<Http2Call>();
  #served = 0;
  #isDraining = false;
  #isGone = false;
  #lastStreamId = Infinity;
  #allowsTunnels = false;
  /** Streams that the peer allows at once. */
  maxStreams = 0;
  /** Why it was lost, where we gave it up ourselves. */
  lossCause: Error | undefined;
  // On the clock of performance.now(), in milliseconds.
  /** No deadline of a call or our own is earlier; some calls' may have moved later since. */
  #earliestMs = Infinity;
  /** When to see to ourselves: idle for too long, silent for too long. */
  #ownDeadlineMs: number;
  #heardAtMs = 0;
  #heardBytes = 0;
  #pingedAtMs: number | undefined;

  constructor(link: Http2Link, owner: Http2ConnectionOwner, options: Http2ConnectionOptions) {
    this.#session = link.session;
    this.#socket = link.socket;
    this.#owner = owner;
    this.#options = options;
    this.maxHeadBytes = options.maxHeadBytes;
    this.#readSettings(link.peerSettings);
    this.#ownDeadlineMs = performance.now() + options.keepAliveMs;
    this.#timer = new DeadlineTimer(this);
    this.#session.on('remoteSettings', (settings) => {
      this.#readSettings(settings);
      this.#owner.onRoom(this);
    });
    this.#session.on('goaway', (_code, lastStreamId) => this.#onGoaway(lastStreamId));
    // Each stream is told too, and 'close' follows.
    this.#session.on('error', ignore);
    // Of a TLS alert node tells the socket alone (seen on 24.21).
    this.#socket.on('error', (error) => this.destroy(error));
    this.#session.on('close', () => this.#onClose());
    this.#watchOwn();
  }

  /** It has carried a request. */
  get isProven(): boolean {
    return this.#served > 0;
  }

  hasRoom(): boolean {
    return (
      !this.#isDraining &&
      this.#calls.size < this.maxStreams &&
      // Node closes a session some turns before it says so.
      !this.#session.closed &&
      !this.#session.destroyed
    );
  }

  /** Sends a call's request. There must be room. */
  begin(call: Http2Call): void {
    const { request } = call;
    if (request.upgrade !== undefined && !this.#allowsTunnels) {
      const message = 'the upstream does not allow WebSocket over HTTP/2 (RFC 8441)';
      call.fail(toUnsentError('protocol', message));
      return;
    }
    const { body } = request;
    const hasBody = body !== undefined && body.length !== 0;
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(toRequestFields(request, this.#options.origin), {
        endStream: !hasBody && request.upgrade === undefined,
        // Costs an empty DATA frame where there are none. A body of known length has none,
        // unless it says so.
        waitForTrailers: hasBody && (body.length === undefined || hasTrailerField(request.headers)),
      });
    } catch (cause) {
      call.fail(toUnsentError('protocol', 'the request cannot be sent', cause));
      return;
    }
    this.#calls.add(call);
    if (this.#calls.size === 1) this.#restartPulse(performance.now());
    const isReused = this.#served++ > 0;
    if (this.#served >= MAX_STREAMS_EVER) this.drain();
    call.begin(this, stream, isReused);
  }

  /** A call's stream has closed. */
  release(call: Http2Call): void {
    if (!this.#calls.delete(call) || this.#isGone) return;
    if (this.#calls.size === 0) {
      const keepMs = this.#isDraining ? LINGER_MS : this.#options.keepAliveMs;
      this.#ownDeadlineMs = performance.now() + keepMs;
      this.#watchOwn();
    }
    this.#owner.onRoom(this);
  }

  /** To be called whenever a call's deadline may have become earlier. */
  watch(call: Http2Call): void {
    const deadlineMs = call.deadlineMs();
    if (deadlineMs >= this.#earliestMs) return;
    this.#earliestMs = deadlineMs;
    this.#timer.watch();
  }

  isPastGoaway(stream: ClientHttp2Stream): boolean {
    return stream.id !== undefined && stream.id > this.#lastStreamId;
  }

  /** Takes no new tries and closes when those in flight have ended. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#session.close();
    if (this.#calls.size === 0) {
      this.#ownDeadlineMs = performance.now() + LINGER_MS;
      this.#watchOwn();
    }
    this.#owner.onDraining(this);
  }

  /** Ends it now; calls on it fail with `reset`. */
  destroy(cause: Error): void {
    this.#isDraining = true;
    this.lossCause ??= cause;
    this.#session.destroy();
    // The session would first flush what it has, to a peer that may be dead.
    this.#socket.destroy();
    this.#onClose();
  }

  deadlineMs(): number {
    return this.#earliestMs;
  }

  onDeadline(): void {
    const nowMs = performance.now();
    for (const call of this.#calls) if (call.deadlineMs() <= nowMs) call.onDeadline();
    if (this.#ownDeadlineMs <= nowMs) this.#seeToItself(nowMs);
    let earliestMs = this.#ownDeadlineMs;
    for (const call of this.#calls) earliestMs = Math.min(earliestMs, call.deadlineMs());
    this.#earliestMs = earliestMs;
  }

  #watchOwn(): void {
    if (this.#ownDeadlineMs >= this.#earliestMs) return;
    this.#earliestMs = this.#ownDeadlineMs;
    this.#timer.watch();
  }

  #seeToItself(nowMs: number): void {
    if (this.#calls.size > 0) this.#checkPulse(nowMs);
    else if (this.#isDraining) this.destroy(new Error('the peer did not close the connection'));
    else this.drain();
  }

  /** Something was heard just now, or is not yet due. */
  #restartPulse(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#heardBytes = this.#socket.bytesRead;
    this.#pingedAtMs = undefined;
    this.#ownDeadlineMs = nowMs + this.#options.pingAfterMs / 4;
    this.#watchOwn();
  }

  /**
   * A peer that vanished (power, network, firewall) sends no FIN, and TCP takes a quarter of an
   * hour to notice. The socket's count of bytes tells of any frame and costs nothing per frame.
   */
  #checkPulse(nowMs: number): void {
    const { pingAfterMs, pingTimeoutMs } = this.#options;
    if (this.#socket.bytesRead !== this.#heardBytes) {
      this.#restartPulse(nowMs);
    } else if (this.#pingedAtMs !== undefined) {
      this.destroy(new Error('the upstream was silent and did not answer a PING'));
    } else if (nowMs < this.#heardAtMs + pingAfterMs || this.#session.destroyed) {
      this.#ownDeadlineMs = nowMs + pingAfterMs / 4;
    } else {
      this.#pingedAtMs = nowMs;
      this.#ownDeadlineMs = nowMs + pingTimeoutMs;
      this.#session.ping(this.#onPong);
    }
  }

  readonly #onPong = (error: Error | null): void => {
    if (error === null && this.#calls.size > 0) this.#restartPulse(performance.now());
  };

  #onGoaway(lastStreamId: number): void {
    this.#lastStreamId = lastStreamId;
    this.drain();
  }

  #onClose(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isDraining = true;
    this.#timer.stop();
    this.#owner.onGone(this);
  }

  #readSettings(settings: Settings): void {
    this.maxStreams = settings.maxConcurrentStreams ?? Infinity;
    this.#allowsTunnels = settings.enableConnectProtocol === true;
  }
}

function hasTrailerField(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.length === 7 && headers[i]!.toLowerCase() === 'trailer') return true;
  }
  return false;
}

function ignore(): void {}
