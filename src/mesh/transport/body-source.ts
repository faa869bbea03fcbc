/** A request body on its way up: pushed to one sink, held back by pause, lane-neutral. */

/** Receives a body. After `onEnd` or `onError` nothing more comes. */
export interface BodySink {
  onData(chunk: Uint8Array): void;
  /** `trailers` is a flat field list, undefined where there were none. */
  onEnd(trailers: readonly string[] | undefined): void;
  onError(error: Error): void;
}

/**
 * A body that has not been read yet. Nothing is read, and a client that waits for
 * 100 Continue is not told to go on, before `start`.
 */
export interface BodySource {
  /** In bytes; undefined where it is not known beforehand (chunked, HTTP/2 without Content-Length). */
  readonly length: number | undefined;
  /** Begins to push; may be called once. Chunks may arrive before it returns. */
  start(sink: BodySink): void;
  /** Stops pushing soon; a chunk or two may still come. */
  pause(): void;
  resume(): void;
  /** Reads no further; the sink hears no more. The source decides what becomes of the rest. */
  cancel(): void;
}
