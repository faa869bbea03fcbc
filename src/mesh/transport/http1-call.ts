/** One try over HTTP/1.1, from waiting for a connection to its last byte. */
import type { UpstreamError } from './upstream-error.ts';
import type { UpstreamCall, UpstreamRequest, UpstreamSink } from './upstream.ts';

/** Who has the call: the pool while it waits, then its connection. */
export interface CallHolder {
  onCallPaused(call: Http1Call): void;
  onCallResumed(call: Http1Call): void;
  onCallAborted(call: Http1Call): void;
}

/** What `send` returns; the only object that each request needs. */
export class Http1Call implements UpstreamCall {
  readonly request: UpstreamRequest;
  readonly sink: UpstreamSink;
  /** The request's head, ready to be written. */
  readonly head: string;
  /** Undefined once the call is over. */
  holder: CallHolder | undefined;
  isPaused = false;
  /** The caller has it in hand. Before that no failure is told: it could not tell which try failed. */
  isReturned = false;
  #isAborted = false;

  constructor(request: UpstreamRequest, sink: UpstreamSink, head: string) {
    this.request = request;
    this.sink = sink;
    this.head = head;
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.holder?.onCallPaused(this);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.holder?.onCallResumed(this);
  }

  abort(): void {
    this.#isAborted = true;
    const { holder } = this;
    this.holder = undefined;
    holder?.onCallAborted(this);
  }

  end(trailers: string[] | undefined): void {
    if (!this.#isAborted) this.sink.onEnd(trailers);
  }

  fail(error: UpstreamError): void {
    this.holder = undefined;
    if (this.isReturned) this.#deliver(error);
    else process.nextTick(() => this.#deliver(error));
  }

  #deliver(error: UpstreamError): void {
    if (!this.#isAborted) this.sink.onError(error);
  }
}
