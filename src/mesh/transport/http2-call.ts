/** One try over HTTP/2, from waiting for a session to its last frame. */
import { constants } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { callDeadlineMs, CONTINUE_WAIT_MS, toLateFailure } from './call-deadline.ts';
import type { CallPhase } from './call-deadline.ts';
import type { Http2Connection } from './http2-connection.ts';
import { toStreamFailure } from './http2-failure.ts';
import { Http2RequestBody } from './http2-request-body.ts';
import { toFieldListBytes } from './http2-request-fields.ts';
import { listenToStream, readStream } from './http2-stream-events.ts';
import type { StreamListener } from './http2-stream-events.ts';
import { toSwitchingFields } from './http2-tunnel.ts';
import type { RequestBodyOwner } from './request-body.ts';
import { UpstreamError, type UpstreamFailure } from './upstream-error.ts';
import type { UpstreamCall, UpstreamRequest, UpstreamSink } from './upstream.ts';

/** Who has the call while it waits for a session. */
export interface WaitingLine {
  onCallAborted(call: Http2Call): void;
}

const FRESH = Object.freeze({ reused: false });
const REUSED = Object.freeze({ reused: true });

/** What `send` returns, and what hears the stream. It keeps its stream's slot until that has closed. */
export class Http2Call implements UpstreamCall, StreamListener, RequestBodyOwner {
  readonly request: UpstreamRequest;
  readonly #sink: UpstreamSink;
  /** Set while the call waits in line. */
  line: WaitingLine | undefined;
  /** The caller has it in hand. Before that no failure is told: it could not tell which try failed. */
  isReturned = false;
  #isAborted = false;
  /** The sink hears no more. */
  #isOver = false;
  #isPaused = false;
  #hasHead = false;
  #awaitsContinue = false;
  #isReused = false;
  #connection: Http2Connection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #body: Http2RequestBody | undefined;
  #trailers: string[] | undefined;
  // On the clock of performance.now(), in milliseconds.
  #sentAtMs = 0;
  #heardAtMs = 0;

  constructor(request: UpstreamRequest, sink: UpstreamSink) {
    this.request = request;
    this.#sink = sink;
  }

  /** Takes over the stream that a connection has opened with the request's head. */
  begin(connection: Http2Connection, stream: ClientHttp2Stream, reused: boolean): void {
    const { body, upgrade, expectContinue } = this.request;
    this.#connection = connection;
    this.#stream = stream;
    this.#isReused = reused;
    this.#sentAtMs = this.#heardAtMs = performance.now();
    const hasBody = upgrade === undefined && body !== undefined && body.length !== 0;
    listenToStream(stream, this, hasBody);
    if (hasBody) {
      this.#body = new Http2RequestBody(this, stream, body);
      this.#awaitsContinue = expectContinue;
    }
    this.#sink.onSent?.(reused ? REUSED : FRESH);
    // The sink may give the call up at any of its methods.
    if (this.#isOver) return;
    if (!this.#awaitsContinue) this.#body?.start();
    connection.watch(this);
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    // Before the head nothing flows, and a tunnel must be handed over neither flowing nor paused.
    if (this.#hasHead && !this.#isOver) this.#stream!.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#hasHead || this.#isOver) return;
    // The reader's pause was no silence of the upstream.
    this.#heardAtMs = performance.now();
    this.#stream!.resume();
    this.#connection!.watch(this);
  }

  abort(): void {
    this.#isAborted = true;
    if (this.#isOver) return;
    const { line } = this;
    this.#leave();
    line?.onCallAborted(this);
  }

  /** Ends a call that has no stream, or whose stream is being left. */
  fail(error: UpstreamError): void {
    this.#isOver = true;
    this.line = undefined;
    if (this.isReturned) this.#sink.onError(error);
    else process.nextTick(() => this.#deliverLate(error));
  }

  #deliverLate(error: UpstreamError): void {
    if (!this.#isAborted) this.#sink.onError(error);
  }

  onStreamInformational(status: number, fields: string[]): void {
    if (this.#isOver || !this.#isWithinLimit(fields, 'head is')) return;
    this.#heardAtMs = performance.now();
    this.#sink.onInformational(status, fields);
    if (status === 100 && this.#awaitsContinue && !this.#isOver) this.#startBody();
  }

  onStreamHead(status: number, fields: string[], isWhole: boolean): void {
    if (this.#isOver || !this.#isWithinLimit(fields, 'head is')) return;
    const stream = this.#stream!;
    if (this.request.upgrade !== undefined) {
      if (status >= 200 && status < 300) {
        this.#isOver = true;
        const switching = toSwitchingFields(this.request, fields);
        this.#sink.onUpgrade(101, 'Switching Protocols', switching, stream);
        return;
      }
      // Refused: nothing will go up any more.
      stream.end();
    }
    this.#hasHead = true;
    this.#heardAtMs = performance.now();
    // A final answer without 100: the upstream does not want the body (RFC 9110 §10.1.1).
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      this.#body!.cancel();
    }
    if (this.#isPaused) stream.pause();
    this.#sink.onHead(status, '', new HeaderFields(fields));
    if (this.#isOver) return;
    readStream(stream);
    // At once, so that who passes it on can still do so as one frame: gRPC calls that
    // Trailers-Only, and reads no other form of it.
    if (isWhole) {
      // Its slot is free only once it has been read, even where the reader holds back.
      stream.resume();
      this.onStreamEnd(true);
      return;
    }
    // From the response timeout to the idle timeout, which may be shorter.
    this.#connection!.watch(this);
  }

  onStreamData(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#heardAtMs = performance.now();
    this.#sink.onData(chunk);
  }

  /** Frames come ahead of what a paused reader has yet to read: kept until 'end'. */
  onStreamTrailers(fields: string[]): void {
    if (!this.#isOver && this.#isWithinLimit(fields, 'trailers are')) this.#trailers = fields;
  }

  onStreamEnd(isComplete: boolean): void {
    // 'close' tells why, if the peer has not ended the answer itself.
    if (this.#isOver || !isComplete || !this.#hasHead) return;
    this.#isOver = true;
    this.#body?.cancel();
    // The answer is whole before the request is: nobody wants the rest (RFC 9113 §8.1).
    if (!this.#stream!.writableFinished) this.#resetStream();
    this.#sink.onEnd(this.#trailers);
  }

  onStreamDrain(): void {
    this.#body!.onDrain();
  }

  onStreamWantsTrailers(): void {
    if (!this.#isOver) this.#body!.sendTrailers();
  }

  onStreamClose(cause: Error | undefined): void {
    const stream = this.#stream!;
    if (!this.#isOver) {
      this.#body?.cancel();
      const reason = this.#connection!.lossCause ?? cause;
      const { failure, message, sent } = toStreamFailure({
        code: stream.rstCode ?? constants.NGHTTP2_CANCEL,
        cause: reason,
        isPastGoaway: this.#connection!.isPastGoaway(stream),
        answered: this.#hasHead,
      });
      this.fail(this.#toError(failure, message, sent, reason));
    }
    this.#connection!.release(this);
  }

  onBodyProgress(): void {
    this.#sentAtMs = performance.now();
    this.#connection!.watch(this);
  }

  onBodyFailed(message: string, cause: unknown): void {
    this.#giveUp('request-body', message, cause);
  }

  /** On the clock of `performance.now()`; Infinity for none. */
  deadlineMs(): number {
    if (this.#isOver) return Infinity;
    return callDeadlineMs(this.#phase(), this.request, this.#sentAtMs, this.#heardAtMs);
  }

  onDeadline(): void {
    const phase = this.#phase();
    const { responseTimeoutMs } = this.request;
    if (phase === 'continue' && (responseTimeoutMs === 0 || responseTimeoutMs > CONTINUE_WAIT_MS)) {
      this.#startBody();
      return;
    }
    const { failure, message } = toLateFailure(phase);
    this.#giveUp(failure, message, undefined);
  }

  #phase(): CallPhase {
    if (this.#hasHead) return this.#isPaused ? 'paused' : 'receiving';
    if (this.#awaitsContinue) return 'continue';
    const body = this.#body;
    if (body === undefined || body.isSent) return 'waiting';
    return body.isBlocked ? 'blocked' : 'sending';
  }

  #startBody(): void {
    this.#awaitsContinue = false;
    this.#sentAtMs = performance.now();
    this.#body!.start();
    if (!this.#isOver) this.#connection!.watch(this);
  }

  #isWithinLimit(fields: string[], what: string): boolean {
    const { maxHeadBytes } = this.#connection!;
    if (toFieldListBytes(fields) <= maxHeadBytes) return true;
    this.#giveUp('protocol', `the answer's ${what} larger than ${maxHeadBytes} bytes`, undefined);
    return false;
  }

  #giveUp(failure: UpstreamFailure, message: string, cause: unknown): void {
    if (this.#isOver) return;
    this.#leave();
    this.fail(this.#toError(failure, message, true, cause));
  }

  #leave(): void {
    this.#isOver = true;
    this.line = undefined;
    this.#body?.cancel();
    if (this.#stream !== undefined) this.#resetStream();
  }

  /**
   * Node's `close` first ends the writable side, and its END_STREAM would make a body that was
   * broken off look whole to the upstream (seen on Node 24.21): hence no `end` here. And `close`
   * alone leaves a stream that both sides have ended, and its slot, until what was received has
   * been read, which nobody will.
   */
  #resetStream(): void {
    const stream = this.#stream!;
    if (!stream.writableEnded) stream.end = withoutEnd;
    stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  }

  #toError(
    failure: UpstreamFailure,
    message: string,
    sent: boolean,
    cause: unknown,
  ): UpstreamError {
    const facts = { sent, answered: this.#hasHead, reused: this.#isReused, cause };
    return new UpstreamError(failure, message, facts);
  }
}

function withoutEnd(this: ClientHttp2Stream): ClientHttp2Stream {
  return this;
}
