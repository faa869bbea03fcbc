/** All HTTP/1.1 connections to one endpoint: keeps idle ones, opens new ones, lets tries wait in line. */
import { Http1Call } from './http1-call.ts';
import type { CallHolder } from './http1-call.ts';
import { Http1Connection } from './http1-connection.ts';
import type { ConnectionOwner } from './http1-connection.ts';
import { SocketConnector } from './connector.ts';
import type { ConnectAttempt } from './connector.ts';
import { toRequestHead } from './http1-request-writer.ts';
import { eventNowMs } from './event-time.ts';
import { toUnsentError } from './upstream-error.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamLimits,
  UpstreamRequest,
  UpstreamSink,
  UpstreamTarget,
} from './upstream.ts';

/**
 * The upstream of an endpoint that speaks HTTP/1.1, plain (`http1`) or over TLS (`https`).
 * Nothing is connected before the first try. What cannot be read of the target's certificates
 * fails the tries with `tls`.
 */
export function createHttp1Upstream(target: UpstreamTarget, limits: UpstreamLimits): Upstream {
  return new Http1Upstream(target, limits);
}

class Http1Upstream implements Upstream, CallHolder, ConnectionOwner {
  readonly #limits: UpstreamLimits;
  readonly #connector: SocketConnector;
  /** Last in, first out: the surplus of a busy time stays unused, and ages out. */
  readonly #idle: Http1Connection[] = [];
  readonly #open = new Set<Http1Connection>();
  readonly #attempts = new Set<ConnectAttempt>();
  /** First in, first out; a set, because any of them may be given up. */
  readonly #waiting = new Set<Http1Call>();
  #isClosing = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(target: UpstreamTarget, limits: UpstreamLimits) {
    this.#limits = limits;
    this.#connector = new SocketConnector(target, limits);
  }

  get connections(): number {
    return this.#open.size;
  }

  send(request: UpstreamRequest, sink: UpstreamSink): UpstreamCall {
    let head: string;
    try {
      head = toRequestHead(request);
    } catch (cause) {
      const call = new Http1Call(request, sink, '');
      call.fail(toUnsentError('protocol', 'the request cannot be written', cause));
      call.isReturned = true;
      return call;
    }
    const call = new Http1Call(request, sink, head);
    if (this.#isClosing) {
      call.fail(toUnsentError('connect', 'the upstream is closed'));
    } else {
      const nowMs = eventNowMs();
      const connection = request.fresh ? undefined : this.#takeIdle(nowMs);
      if (connection === undefined) this.#enqueue(call);
      else connection.begin(call, nowMs);
    }
    call.isReturned = true;
    return call;
  }

  close(): Promise<void> {
    this.#isClosing = true;
    while (this.#idle.length > 0) this.#idle.pop()!.destroy();
    this.#settle();
    return this.#closed.promise;
  }

  destroy(): void {
    this.#isClosing = true;
    for (const attempt of this.#attempts) attempt.cancel();
    this.#attempts.clear();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) call.fail(toUnsentError('reset', 'the upstream was closed'));
    for (const connection of this.#open) connection.destroy();
    this.#settle();
  }

  onCallPaused(): void {
    // Its connection will see that it is paused.
  }

  onCallResumed(): void {
    // As above.
  }

  onCallAborted(call: Http1Call): void {
    this.#waiting.delete(call);
    this.#settle();
  }

  onIdle(connection: Http1Connection): void {
    const call = this.#takeWaitingForAny();
    if (call !== undefined) connection.begin(call);
    else if (this.#isClosing || this.#isShortOfRoom()) connection.destroy();
    else this.#idle.push(connection);
  }

  onGone(connection: Http1Connection): void {
    this.#open.delete(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    this.#connectForWaiting();
    this.#settle();
  }

  #takeIdle(nowMs: number): Http1Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || connection.isFresh(nowMs)) return connection;
      connection.destroy();
    }
  }

  /** For a new connection. */
  #takeWaiting(): Http1Call | undefined {
    for (const call of this.#waiting) {
      this.#waiting.delete(call);
      return call;
    }
    return undefined;
  }

  /** For a connection that has served before. */
  #takeWaitingForAny(): Http1Call | undefined {
    for (const call of this.#waiting) {
      if (call.request.fresh) continue;
      this.#waiting.delete(call);
      return call;
    }
    return undefined;
  }

  /** Somebody waits for a new connection while old ones take up all that may be had. */
  #isShortOfRoom(): boolean {
    return this.#waiting.size > this.#attempts.size;
  }

  #enqueue(call: Http1Call): void {
    call.holder = this;
    this.#waiting.add(call);
    this.#connectForWaiting();
    // Idle connections beside a try that waits: it wants a new one. The oldest makes room.
    if (this.#isShortOfRoom()) this.#idle[0]?.destroy();
    // A try with a connection of its own on the way is not in line.
    if (this.#waiting.size - this.#attempts.size <= this.#limits.maxPending) return;
    this.#waiting.delete(call);
    call.fail(toUnsentError('overflow', 'too many tries wait for a connection'));
  }

  /** One attempt for each try that waits, as far as the limit allows. */
  #connectForWaiting(): void {
    while (
      this.#attempts.size < this.#waiting.size &&
      this.#open.size + this.#attempts.size < this.#limits.maxConnections
    ) {
      this.#connect();
    }
  }

  /** Whichever connection is free first takes the try that has waited longest, not "its own". */
  #connect(): void {
    const attempt = this.#connector.open({
      onConnected: (socket) => {
        this.#attempts.delete(attempt);
        const connection = new Http1Connection(socket, this, this.#limits);
        this.#open.add(connection);
        const call = this.#takeWaiting();
        if (call !== undefined) {
          connection.begin(call);
        } else if (this.#isClosing) {
          connection.destroy();
        } else {
          connection.rest();
          this.#idle.push(connection);
        }
      },
      onConnectFailed: (error) => {
        this.#attempts.delete(attempt);
        const call = this.#takeWaiting();
        this.#connectForWaiting();
        call?.fail(error);
        this.#settle();
      },
    });
    this.#attempts.add(attempt);
  }

  /** Once closing, the last try to end lets `close` resolve. */
  #settle(): void {
    if (!this.#isClosing || this.#waiting.size > 0) return;
    for (const attempt of this.#attempts) attempt.cancel();
    this.#attempts.clear();
    if (this.#open.size === 0) this.#closed.resolve();
  }
}
