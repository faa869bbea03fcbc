/** A body that something looks at on its way: read from one source, passed on to one sink. */
import type { BodySink, BodySource } from '../../mesh/transport/body-source.ts';

export abstract class PassedBody implements BodySource, BodySink {
  readonly length: number | undefined;
  /** Undefined before the start, and once nobody wants any more. */
  protected sink: BodySink | undefined;
  readonly #source: BodySource;

  constructor(source: BodySource) {
    this.#source = source;
    this.length = source.length;
  }

  start(sink: BodySink): void {
    this.sink = sink;
    this.#source.start(this);
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.sink = undefined;
    this.#source.cancel();
  }

  abstract onData(chunk: Uint8Array): void;
  abstract onEnd(trailers: readonly string[] | undefined): void;

  onError(error: Error): void {
    this.sink?.onError(error);
  }
}
