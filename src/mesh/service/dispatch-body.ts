/** Request bodies as undici's callers give them, as the sources that the transport reads. */
import { Readable } from 'node:stream';
import { errors, FormData as UndiciFormData, Response as UndiciResponse } from 'undici';
import type { BodySink, BodySource } from '../transport/body-source.ts';
import { BufferedBody } from '../transport/buffered-body.ts';

export interface CallerBody {
  readonly source: BodySource | undefined;
  /** What the body says of itself, for a request that does not say. */
  readonly contentType: string | undefined;
}

const NO_BODY: CallerBody = Object.freeze({ source: undefined, contentType: undefined });

/**
 * Takes null, text, bytes, a Readable, a Blob, FormData (undici's and the runtime's), and anything
 * that iterates over text or bytes. `declaredLength` in bytes is Content-Length where the caller
 * gives one. Throws InvalidArgumentError on anything else, and where the declared length of bytes
 * at hand is wrong.
 */
export function toCallerBody(body: unknown, declaredLength: number | undefined): CallerBody {
  if (body === undefined || body === null) return NO_BODY;
  const bytes = toBytes(body);
  if (bytes !== undefined) {
    // As with undici, nothing in it is no body; POST and the like still say so.
    if (bytes.length === 0) return NO_BODY;
    assertLength(bytes.length, declaredLength);
    return { source: new BufferedBody(bytes), contentType: undefined };
  }
  if (body instanceof Readable || isForeignStream(body)) {
    return { source: new StreamBody(body, declaredLength), contentType: undefined };
  }
  if (body instanceof globalThis.FormData || body instanceof UndiciFormData) {
    const form =
      body instanceof UndiciFormData ? new UndiciResponse(body) : new globalThis.Response(body);
    return {
      source: new IterableBody(form.body!, declaredLength),
      contentType: form.headers.get('content-type') ?? undefined,
    };
  }
  if (body instanceof Blob) {
    assertLength(body.size, declaredLength);
    return {
      source: new IterableBody(body.stream(), body.size),
      contentType: body.type === '' ? undefined : body.type,
    };
  }
  if (isIterable(body)) {
    return { source: new IterableBody(body, declaredLength), contentType: undefined };
  }
  throw new errors.InvalidArgumentError(
    'a body must be text, bytes, a stream, a Blob, FormData or iterable',
  );
}

/** A node stream. It fails from the moment it is ours, so it is listened to from then on. */
class StreamBody implements BodySource {
  readonly length: number | undefined;
  readonly #stream: Readable;
  #sink: BodySink | undefined;
  #error: Error | undefined;
  #isOver = false;

  constructor(stream: Readable, length: number | undefined) {
    this.#stream = stream;
    this.length = length;
    stream.on('error', (error) => this.#fail(error));
  }

  start(sink: BodySink): void {
    const stream = this.#stream;
    this.#sink = sink;
    if (this.#error !== undefined) {
      sink.onError(this.#error);
    } else if (stream.readableEnded) {
      this.#end();
    } else if (stream.destroyed) {
      // Its 'error' may be yet to come.
      this.#fail(
        stream.errored ?? new errors.RequestAbortedError('the body was destroyed before its end'),
      );
    } else {
      stream.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
      // A listener alone does not start a stream that somebody has paused.
      stream.resume();
    }
  }

  pause(): void {
    if (!this.#isOver) this.#stream.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#stream.resume();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#leave();
    // A request that a server has received takes its connection with it, and with that the answer.
    if (isReceivedRequest(this.#stream)) this.#stream.resume();
    else this.#stream.destroy();
  }

  readonly #onData = (chunk: unknown): void => {
    const bytes = toBytes(chunk);
    if (bytes !== undefined) {
      this.#sink!.onData(bytes);
      return;
    }
    this.#fail(notBytes());
    this.#stream.destroy();
  };

  readonly #onEnd = (): void => this.#end();

  readonly #onClose = (): void =>
    this.#fail(new errors.RequestAbortedError('the body was closed before its end'));

  #end(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#sink!.onEnd(undefined);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#leave();
    this.#error = error;
    this.#sink?.onError(error);
  }

  /** The listener for errors stays: one that nobody hears would end the process. */
  #leave(): void {
    this.#isOver = true;
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
  }
}

/** Whatever yields pieces, at once or later: generators, web streams, lists. */
class IterableBody implements BodySource {
  readonly length: number | undefined;
  readonly #pieces: AsyncIterable<unknown> | Iterable<unknown>;
  #isOver = false;
  #isPaused = false;
  #wake: (() => void) | undefined;

  constructor(pieces: AsyncIterable<unknown> | Iterable<unknown>, length: number | undefined) {
    this.#pieces = pieces;
    this.length = length;
  }

  start(sink: BodySink): void {
    void this.#pump(sink);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake?.();
  }

  cancel(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async #pump(sink: BodySink): Promise<void> {
    try {
      for await (const piece of this.#pieces) {
        // Leaving the loop tells the iterable that no more is wanted.
        if (this.#isOver) return;
        const bytes = toBytes(piece);
        if (bytes === undefined) throw notBytes();
        sink.onData(bytes);
        if (this.#isPaused) await this.#resumed();
        if (this.#isOver) return;
      }
    } catch (error) {
      if (this.#isOver) return;
      this.#isOver = true;
      sink.onError(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#isOver) return;
    this.#isOver = true;
    sink.onEnd(undefined);
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer ? Buffer.from(value) : undefined;
}

function notBytes(): Error {
  return new errors.InvalidArgumentError('a piece of the body is neither text nor bytes');
}

function assertLength(actual: number, declared: number | undefined): void {
  if (declared === undefined || declared === actual) return;
  throw new errors.RequestContentLengthMismatchError(
    `content-length says ${declared}, the body has ${actual} bytes`,
  );
}

/** A stream of another implementation of node's, such as the package readable-stream. */
function isForeignStream(body: unknown): body is Readable {
  const { pipe, on, resume } = body as Partial<Readable>;
  return typeof pipe === 'function' && typeof on === 'function' && typeof resume === 'function';
}

/** node:http's and node:http2's both have a method, which no answer has. */
function isReceivedRequest(stream: Readable): boolean {
  return typeof (stream as { method?: unknown }).method === 'string';
}

function isIterable(body: unknown): body is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof body === 'object' &&
    body !== null &&
    (Symbol.asyncIterator in body || Symbol.iterator in body)
  );
}
