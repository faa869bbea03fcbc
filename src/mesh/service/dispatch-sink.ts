/** One dispatched call: tells undici's handler what the service answers, and obeys its controller. */
import { Duplex } from 'node:stream';
import { errors, util, type Dispatcher } from 'undici';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { keep } from '../transport/read-memory.ts';
import type { Call, CallRequest, CallSink } from './call.ts';
import { toDispatchError } from './dispatch-error.ts';
import type { Service } from './service.ts';

export interface DispatchOwner {
  /** The handler hears no more; told once. */
  onOver(sink: DispatchSink): void;
}

/**
 * What holds for undici's own dispatchers holds here too: a handler that throws aborts its call;
 * an abort, whoever asks for it, ends in `onResponseError` with its reason; after the end or an
 * error the handler hears nothing.
 */
export class DispatchSink implements CallSink, Dispatcher.DispatchController {
  rawHeaders: string[] | null = null;
  rawTrailers: string[] | null = null;
  paused = false;
  reason: Error | null = null;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #owner: DispatchOwner;
  #request: CallRequest | undefined;
  #call: Call | undefined;
  #tunnel: Duplex | undefined;
  #isOver = false;

  constructor(handler: Dispatcher.DispatchHandler, owner: DispatchOwner) {
    this.#handler = handler;
    this.#owner = owner;
  }

  get aborted(): boolean {
    return this.reason !== null;
  }

  /** It is called at once, or when it is `admitted`. */
  start(service: Service, request: CallRequest, admitted?: Promise<void>): void {
    this.#request = request;
    try {
      this.#handler.onRequestStart?.(this, null);
    } catch (error) {
      this.abort(error as Error);
    }
    if (admitted === undefined) this.#begin(service, request);
    else {
      admitted.then(
        () => this.#begin(service, request),
        (error: Error) => this.onError(error),
      );
    }
  }

  #begin(service: Service, request: CallRequest): void {
    if (this.#isOver) return;
    const call = service.call(request, this);
    // It may have failed at once, or been given up while its body was read.
    if (this.#isOver) {
      call.abort();
      return;
    }
    this.#call = call;
    if (this.paused) call.pause();
  }

  pause(): void {
    this.paused = true;
    this.#call?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#call?.resume();
  }

  abort(reason: Error | undefined): void {
    if (this.#isOver) return;
    this.reason = reason ?? new errors.RequestAbortedError();
    this.#call?.abort();
    this.#tunnel?.destroy();
    this.fail(this.reason);
  }

  /** Ends it with an error; what is in flight must have ended already. */
  fail(error: Error): void {
    this.#finish();
    this.#handler.onResponseError?.(this, error);
  }

  onTry(): void {}

  onInformational(status: number, headers: string[]): void {
    // It answers the transport's own Expect.
    if (status !== 100) this.#tellHead(status, '', headers);
  }

  onHead(status: number, reason: string, headers: HeaderFields): void {
    this.#tellHead(status, reason, headers.raw);
  }

  onData(chunk: Uint8Array): void {
    if (this.#isOver) return;
    try {
      this.#handler.onResponseData?.(this, toBuffer(keep(chunk)));
    } catch (error) {
      this.abort(error as Error);
    }
  }

  onEnd(trailers: string[] | undefined): void {
    if (this.#isOver) return;
    this.#finish();
    this.rawTrailers = trailers ?? [];
    try {
      this.#handler.onResponseEnd?.(this, util.parseHeaders(this.rawTrailers));
    } catch (error) {
      this.#handler.onResponseError?.(this, error as Error);
    }
  }

  onUpgrade(status: number, _reason: string, headers: string[], socket: Duplex): void {
    const tunnel = toPlainTunnel(socket);
    this.#tunnel = tunnel;
    this.rawHeaders = headers;
    try {
      this.#handler.onRequestUpgrade?.(this, status, util.parseHeaders(headers), tunnel);
    } catch (error) {
      this.abort(error as Error);
    }
    if (!this.#isOver) this.#finish();
  }

  onError(error: Error): void {
    if (!this.#isOver) this.fail(toDispatchError(error));
  }

  #tellHead(status: number, reason: string, headers: string[]): void {
    if (this.#isOver) return;
    this.rawHeaders = headers;
    try {
      this.#handler.onResponseStarted?.();
      this.#handler.onResponseStart?.(this, status, util.parseHeaders(headers), reason);
    } catch (error) {
      this.abort(error as Error);
    }
  }

  #finish(): void {
    this.#isOver = true;
    // One that no try has started would stay open for ever.
    this.#request?.body?.cancel();
    this.#owner.onOver(this);
  }
}

function toBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk)
    ? chunk
    : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/**
 * By its `session` undici knows a stream of HTTP/2, and then expects 200 in place of the 101 that
 * the transport makes of it. As with a socket, the peer's end is the end of both directions:
 * clients wait for a 'close' that nobody else would bring about.
 */
function toPlainTunnel(socket: Duplex): Duplex {
  if (!('session' in socket)) return socket;
  const tunnel = Duplex.from({ readable: socket, writable: socket });
  tunnel.allowHalfOpen = false;
  return tunnel;
}
