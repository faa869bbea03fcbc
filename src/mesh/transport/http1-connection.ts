/** One connection to an upstream, carrying one request at a time. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { CallHolder, Http1Call } from './http1-call.ts';
import { callDeadlineMs, CONTINUE_WAIT_MS, toLateFailure } from './call-deadline.ts';
import type { CallPhase } from './call-deadline.ts';
import { DeadlineTimer } from './deadline-timer.ts';
import type { DeadlineOwner } from './deadline-timer.ts';
import { isTlsAlert } from './connector.ts';
import { eventNowMs } from './event-time.ts';
import { Http1Sending } from './http1-sending.ts';
import { ResponseParser } from './http1-response-parser.ts';
import type { AnswerHandler } from './http1-response-parser.ts';
import type { RequestBodyOwner } from './request-body.ts';
import { keep } from './read-memory.ts';
import { SocketReads } from './socket-reads.ts';
import { UpstreamError, type UpstreamFailure } from './upstream-error.ts';

/** The pool that the connection belongs to. */
export interface ConnectionOwner {
  /** It can take the next call. */
  onIdle(connection: Http1Connection): void;
  /** It is gone: closed, or somebody's tunnel. Told once. */
  onGone(connection: Http1Connection): void;
}

export interface ConnectionLimits {
  readonly keepAliveMs: number;
  readonly maxHeadBytes: number;
}

/** Taken off what the upstream says it keeps an idle connection for: our view of it lags. */
const KEEP_ALIVE_MARGIN_MS = 1000;

const FRESH = Object.freeze({ reused: false });
const REUSED = Object.freeze({ reused: true });

/**
 * Its listeners stay on the socket for life, so a request adds none. What it must hold to:
 * bytes that no request asked for end the connection, since the next caller would take them
 * for its answer (CVE-2026-48931); and only after a request and an answer that were both
 * complete to the byte is it used again.
 */
export class Http1Connection implements AnswerHandler, CallHolder, DeadlineOwner, RequestBodyOwner {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #keepAliveMs: number;
  readonly #reads: SocketReads;
  readonly #parser: ResponseParser;
  readonly #sending: Http1Sending;
  readonly #timer: DeadlineTimer;
  #call: Http1Call | undefined;
  #served = 0;
  #isGone = false;
  // On the clock of performance.now(), in milliseconds.
  #sentAtMs = 0;
  #heardAtMs = 0;
  #idleUntilMs = Infinity;

  /** Takes over a connected socket that nobody else listens to. */
  constructor(socket: Socket, owner: ConnectionOwner, limits: ConnectionLimits) {
    this.#socket = socket;
    this.#owner = owner;
    this.#keepAliveMs = limits.keepAliveMs;
    this.#parser = new ResponseParser(this, limits.maxHeadBytes);
    this.#sending = new Http1Sending(socket, this);
    this.#timer = new DeadlineTimer(this);
    this.#reads = new SocketReads(socket, this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** Whether an idle connection may still be used; its timer may be late. */
  isFresh(nowMs: number): boolean {
    return !this.#isGone && nowMs < this.#idleUntilMs;
  }

  /** Starts to wait for a call, or to be closed when it has waited for too long. */
  rest(keepAliveMs: number = this.#keepAliveMs, nowMs: number = performance.now()): void {
    this.#idleUntilMs = nowMs + keepAliveMs;
    this.#timer.watch();
  }

  /** Sends a call's request. The connection must be idle. */
  begin(call: Http1Call, nowMs: number = performance.now()): void {
    const { request, sink } = call;
    this.#call = call;
    call.holder = this;
    this.#parser.start(request.method === 'HEAD', request.upgrade);
    sink.onSent?.(this.#served++ > 0 ? REUSED : FRESH);
    // The sink may give the call up at any of its methods.
    if (this.#call !== call) return;
    this.#sentAtMs = this.#heardAtMs = nowMs;
    if (call.isPaused) this.#socket.pause();
    this.#sending.begin(call);
    this.#timer.watch();
  }

  /** Ends it now; a call on it fails with `reset`. */
  destroy(): void {
    this.#fail('reset', 'the connection was closed on our side', undefined);
  }

  readonly #onData = (chunk: Buffer): void => {
    const call = this.#call;
    // A request that is still to be written has no answer.
    if (call === undefined || this.#sending.isDue) {
      this.#fail('reset', 'the upstream sent what nobody had asked for', undefined);
      return;
    }
    const parser = this.#parser;
    this.#heardAtMs = eventNowMs();
    const taken = parser.push(chunk);
    if (this.#call !== call) return;
    if (parser.failure !== undefined) {
      this.#fail('protocol', `not a valid answer: ${parser.failure}`, undefined);
    } else if (parser.isDone) {
      this.#complete(call, taken === chunk.length);
    } else if (parser.upgrade !== undefined) {
      this.#handOver(call, chunk.subarray(taken));
    }
  };

  readonly #onDrain = (): void => this.#sending.onDrain();

  readonly #onEnd = (): void => {
    const call = this.#call;
    if (call !== undefined && this.#parser.finish()) this.#complete(call, false);
    else this.#fail('reset', 'the upstream closed before its answer was complete', undefined);
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const isTls = isTlsAlert(error) && !this.#parser.hasHead;
    this.#fail(isTls ? 'tls' : 'reset', 'the connection broke', error);
  };

  readonly #onClose = (): void => this.#fail('reset', 'the connection was closed', undefined);

  onInformational(status: number, headers: string[]): void {
    const call = this.#call!;
    call.sink.onInformational(status, headers);
    if (status === 100 && this.#sending.awaitsContinue && this.#call === call) this.#startBody();
  }

  onHead(status: number, reason: string, headers: HeaderFields): void {
    // Without a 100 the upstream does not want the body: it is never started (RFC 9110 §10.1.1).
    this.#sending.awaitsContinue = false;
    const call = this.#call!;
    call.sink.onHead(status, reason, headers);
    // From the response timeout to the idle timeout, which may be shorter.
    if (this.#call === call && !this.#parser.isDone) this.#timer.watch();
  }

  onBody(chunk: Buffer): void {
    this.#call!.sink.onData(chunk);
  }

  #complete(call: Http1Call, isExact: boolean): void {
    const { trailers, keepAlive, keepAliveTimeoutS } = this.#parser;
    // What a paused socket still holds came after the answer's end.
    const isClean = isExact && this.#socket.readableLength === 0 && this.#sending.isFlushed;
    const keepAliveMs =
      keepAliveTimeoutS === undefined
        ? this.#keepAliveMs
        : Math.min(this.#keepAliveMs, keepAliveTimeoutS * 1000 - KEEP_ALIVE_MARGIN_MS);
    this.#dropCall(call);
    this.#reads.atEnd();
    if (isClean && keepAlive && keepAliveMs > 0) {
      if (call.isPaused) this.#socket.resume();
      this.rest(keepAliveMs, this.#heardAtMs);
      this.#owner.onIdle(this);
    } else {
      this.#leave();
    }
    call.end(trailers);
  }

  #handOver(call: Http1Call, rest: Buffer): void {
    const { status, reason, headers } = this.#parser.upgrade!;
    const socket = this.#socket;
    this.#dropCall(call);
    this.#isGone = true;
    this.#timer.stop();
    this.#reads.end();
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    // Who takes it over may have to wait before it can listen.
    socket.on('error', () => undefined);
    // As node:http does: neither flowing nor paused, so that both pipe and on('data') start it.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    if (rest.length > 0) socket.unshift(keep(rest));
    this.#owner.onGone(this);
    call.sink.onUpgrade(status, reason, headers.raw, socket);
  }

  onBodyProgress(): void {
    this.#sentAtMs = performance.now();
    this.#timer.watch();
  }

  onBodyFailed(message: string, cause: unknown): void {
    this.#fail('request-body', message, cause);
  }

  #startBody(): void {
    this.#sentAtMs = performance.now();
    this.#sending.startBody();
    this.#timer.watch();
  }

  onCallPaused(): void {
    this.#socket.pause();
  }

  onCallResumed(): void {
    // The reader's pause was no silence of the upstream.
    this.#heardAtMs = performance.now();
    this.#socket.resume();
    this.#timer.watch();
  }

  onCallAborted(call: Http1Call): void {
    if (this.#call === call) this.#leave();
  }

  deadlineMs(): number {
    const call = this.#call;
    if (call === undefined) return this.#idleUntilMs;
    return callDeadlineMs(this.#phase(call), call.request, this.#sentAtMs, this.#heardAtMs);
  }

  onDeadline(): void {
    const call = this.#call;
    if (call === undefined) {
      this.#leave();
      return;
    }
    const phase = this.#phase(call);
    const { responseTimeoutMs } = call.request;
    if (phase === 'continue' && (responseTimeoutMs === 0 || responseTimeoutMs > CONTINUE_WAIT_MS)) {
      this.#startBody();
      return;
    }
    const { failure, message } = toLateFailure(phase);
    this.#fail(failure, message, undefined);
  }

  #phase(call: Http1Call): CallPhase {
    if (this.#sending.awaitsContinue) return 'continue';
    if (call.isPaused) return 'paused';
    return this.#parser.hasHead ? 'receiving' : this.#sending.phase;
  }

  #fail(failure: UpstreamFailure, message: string, cause: unknown): void {
    const call = this.#call;
    const answered = this.#parser.hasHead;
    const wasSent = !this.#sending.isDue;
    this.#leave();
    if (call === undefined) return;
    const facts = { sent: wasSent, answered, reused: this.#served > 1, cause };
    call.fail(new UpstreamError(failure, message, facts));
  }

  /** Closes the socket and leaves the pool; a call on it hears no more. */
  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#call !== undefined) this.#dropCall(this.#call);
    this.#timer.stop();
    this.#socket.destroy();
    this.#owner.onGone(this);
  }

  #dropCall(call: Http1Call): void {
    this.#call = undefined;
    call.holder = undefined;
    this.#parser.stop();
    this.#sending.stop();
  }
}
