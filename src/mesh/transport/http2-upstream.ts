/** All HTTP/2 sessions to one endpoint: shares them among tries, opens more as they fill, lets tries wait in line. */
import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Http2Call } from './http2-call.ts';
import type { WaitingLine } from './http2-call.ts';
import { Http2Connection } from './http2-connection.ts';
import type { Http2ConnectionOptions, Http2ConnectionOwner } from './http2-connection.ts';
import { Http2Connector } from './http2-connector.ts';
import type { ConnectAttempt } from './connector.ts';
import { toUnsentError, type UpstreamError } from './upstream-error.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamLimits,
  UpstreamRequest,
  UpstreamSink,
  UpstreamTarget,
} from './upstream.ts';

/** How a peer that has vanished is found out. */
export interface Http2Liveness {
  /** A connection with streams that has been silent for so long is sent a PING. Default 20 s. */
  readonly pingAfterMs: number;
  /** Without an answer for so long its streams fail with `reset`. Default 10 s. */
  readonly pingTimeoutMs: number;
}

const DEFAULT_LIVENESS: Http2Liveness = { pingAfterMs: 20_000, pingTimeoutMs: 10_000 };

/** Until the first peer's SETTINGS are known: the least that RFC 9113 §6.5.2 recommends. */
const ASSUMED_STREAMS = 100;

/** After a fruitless attempt, while another session serves or is on its way: how long no further one is opened. */
const REST_AFTER_FAILURE_MS = 1000;

/**
 * The upstream of an endpoint that speaks HTTP/2, in the clear with prior knowledge (`h2c`) or
 * over TLS (`h2`). Nothing is connected before the first try. A try goes to the first session
 * with a free stream; sessions that are draining do not count against `maxConnections`, or a
 * long stream on one would keep new tries out.
 */
export function createHttp2Upstream(
  target: UpstreamTarget,
  limits: UpstreamLimits,
  liveness: Http2Liveness = DEFAULT_LIVENESS,
): Upstream {
  return new Http2Upstream(target, limits, liveness);
}

class Http2Upstream implements Upstream, Http2ConnectionOwner, WaitingLine {
  readonly #limits: UpstreamLimits;
  readonly #connector: Http2Connector;
  readonly #connectionOptions: Http2ConnectionOptions;
  /** Those that take new tries, in the order to fill them. */
  readonly #serving: Http2Connection[] = [];
  readonly #draining = new Set<Http2Connection>();
  readonly #attempts = new Set<ConnectAttempt>();
  /** First in, first out; a set, because any of them may be given up. */
  readonly #waiting = new Set<Http2Call>();
  /** What a session is likely to take: what the last one announced. */
  #expectedStreams = ASSUMED_STREAMS;
  #noAttemptBeforeMs = -Infinity;
  #isClosing = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(target: UpstreamTarget, limits: UpstreamLimits, liveness: Http2Liveness) {
    const { host, port, protocol } = target;
    this.#limits = limits;
    this.#connector = new Http2Connector(target, limits);
    this.#connectionOptions = {
      origin: {
        scheme: protocol === 'h2' ? 'https' : 'http',
        authority: `${isIPv6(host) ? `[${host}]` : host}:${port}`,
      },
      keepAliveMs: limits.keepAliveMs,
      maxHeadBytes: limits.maxHeadBytes,
      ...liveness,
    };
  }

  get connections(): number {
    return this.#serving.length + this.#draining.size;
  }

  send(request: UpstreamRequest, sink: UpstreamSink): UpstreamCall {
    const call = new Http2Call(request, sink);
    if (this.#isClosing) {
      call.fail(toUnsentError('connect', 'the upstream is closed'));
    } else {
      const connection = this.#waiting.size === 0 ? this.#findRoom() : undefined;
      if (connection === undefined) this.#enqueue(call);
      else connection.begin(call);
    }
    call.isReturned = true;
    return call;
  }

  close(): Promise<void> {
    this.#isClosing = true;
    this.#settle();
    return this.#closed.promise;
  }

  destroy(): void {
    this.#isClosing = true;
    const message = 'the upstream was closed on our side';
    this.#failWaiting(() => toUnsentError('reset', message));
    const cause = new Error(message);
    for (const connection of [...this.#serving, ...this.#draining]) connection.destroy(cause);
    this.#settle();
  }

  onCallAborted(call: Http2Call): void {
    this.#waiting.delete(call);
    this.#settle();
  }

  onRoom(connection: Http2Connection): void {
    this.#expectedStreams = connection.maxStreams;
    this.#serveWaiting();
    this.#settle();
  }

  onDraining(connection: Http2Connection): void {
    this.#draining.add(connection);
    this.#stopServing(connection);
  }

  onGone(connection: Http2Connection): void {
    this.#draining.delete(connection);
    this.#stopServing(connection);
    this.#settle();
  }

  #stopServing(connection: Http2Connection): void {
    const index = this.#serving.indexOf(connection);
    if (index === -1) return;
    this.#serving.splice(index, 1);
    if (!connection.isProven) {
      const message = 'the upstream closed the connection before it took a request';
      this.#onFruitless(toUnsentError('reset', message));
    }
    this.#serveWaiting();
  }

  /** Nothing is there or on its way that could serve the line. */
  #isHopeless(): boolean {
    return this.#serving.length === 0 && this.#attempts.size === 0;
  }

  #findRoom(): Http2Connection | undefined {
    for (const connection of this.#serving) if (connection.hasRoom()) return connection;
    return undefined;
  }

  #serveWaiting(): void {
    for (const call of this.#waiting) {
      const connection = this.#findRoom();
      if (connection === undefined) break;
      this.#waiting.delete(call);
      call.line = undefined;
      connection.begin(call);
    }
    this.#connectForWaiting();
  }

  #enqueue(call: Http2Call): void {
    call.line = this;
    this.#waiting.add(call);
    this.#connectForWaiting();
    // Those that the sessions under way will take are not in line.
    const inLine = this.#waiting.size - this.#attempts.size * this.#streamsPerAttempt();
    if (inLine <= this.#limits.maxPending) return;
    this.#waiting.delete(call);
    call.fail(toUnsentError('overflow', 'too many tries wait for a connection'));
  }

  /** As many attempts as the line is likely to fill, as far as the limit allows. */
  #connectForWaiting(): void {
    while (
      this.#waiting.size > this.#attempts.size * this.#streamsPerAttempt() &&
      this.#serving.length + this.#attempts.size < this.#limits.maxConnections &&
      (this.#isHopeless() || performance.now() >= this.#noAttemptBeforeMs)
    ) {
      this.#connect();
    }
  }

  /** A peer that allows none now will have to allow one at some time. */
  #streamsPerAttempt(): number {
    return Math.max(1, this.#expectedStreams);
  }

  #connect(): void {
    const attempt = this.#connector.open({
      onConnected: (link) => {
        this.#attempts.delete(attempt);
        const connection = new Http2Connection(link, this, this.#connectionOptions);
        this.#serving.push(connection);
        this.onRoom(connection);
      },
      onConnectFailed: (error) => {
        this.#attempts.delete(attempt);
        this.#onFruitless(error);
        this.#settle();
      },
    });
    this.#attempts.add(attempt);
  }

  /**
   * An attempt has failed, or its connection was lost before it carried anything. While others
   * serve or are on their way, the line has something to wait for; a peer that turns connections
   * away must not be called again without end.
   */
  #onFruitless({ failure, message, cause }: UpstreamError): void {
    this.#noAttemptBeforeMs = performance.now() + REST_AFTER_FAILURE_MS;
    if (this.#isHopeless()) this.#failWaiting(() => toUnsentError(failure, message, cause));
  }

  #failWaiting(toError: () => UpstreamError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) call.fail(toError());
  }

  /** Once closing, and with nobody in line, sessions drain; the last to go lets `close` resolve. */
  #settle(): void {
    if (!this.#isClosing || this.#waiting.size > 0) return;
    for (const attempt of this.#attempts) attempt.cancel();
    this.#attempts.clear();
    for (const connection of this.#serving.toReversed()) connection.drain();
    if (this.connections === 0) this.#closed.resolve();
  }
}
