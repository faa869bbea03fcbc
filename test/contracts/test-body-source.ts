/** BodySources that a test plays by hand, or that push a given amount at the sink's pace. */
import type { BodySink, BodySource } from '../../src/mesh/transport/body-source.ts';

/** Pushes when it is told to, and notes how it is treated. */
export class ManualBody implements BodySource {
  readonly length: number | undefined;
  isPaused = false;
  isCancelled = false;
  #sink: BodySink | undefined;
  readonly #started = Promise.withResolvers<void>();

  constructor(length?: number) {
    this.length = length;
  }

  /** Resolves once somebody has started it. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  get isStarted(): boolean {
    return this.#sink !== undefined;
  }

  start(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error('started twice');
    this.#sink = sink;
    this.#started.resolve();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  cancel(): void {
    this.isCancelled = true;
  }

  push(text: string): void {
    this.#sink!.onData(Buffer.from(text, 'latin1'));
  }

  end(trailers?: readonly string[]): void {
    this.#sink!.onEnd(trailers);
  }

  fail(error: Error): void {
    this.#sink!.onError(error);
  }
}

/** A body that is at hand: pushed whole before `start` returns. */
export function readyBody(
  text: string,
  options: { readonly length?: number; readonly trailers?: readonly string[] } = {},
): BodySource {
  return {
    length: options.length,
    start(sink) {
      if (text.length > 0) sink.onData(Buffer.from(text, 'latin1'));
      sink.onEnd(options.trailers);
    },
    pause() {},
    resume() {},
    cancel() {},
  };
}

const PIECE = Buffer.alloc(64 * 1024, 'm');

/** Pushes `totalBytes`, a whole number of 64 KiB pieces, as fast as it is let. */
export class FloodBody implements BodySource {
  readonly length: number | undefined;
  readonly totalBytes: number;
  pushedBytes = 0;
  pauses = 0;
  isCancelled = false;
  #isPaused = false;
  #sink: BodySink | undefined;
  readonly #firstPause = Promise.withResolvers<void>();

  constructor(totalBytes: number, options: { readonly declared: boolean }) {
    this.totalBytes = totalBytes;
    this.length = options.declared ? totalBytes : undefined;
  }

  get paused(): Promise<void> {
    return this.#firstPause.promise;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    setImmediate(() => this.#push());
  }

  pause(): void {
    this.#isPaused = true;
    this.pauses++;
    this.#firstPause.resolve();
  }

  resume(): void {
    this.#isPaused = false;
    setImmediate(() => this.#push());
  }

  cancel(): void {
    this.isCancelled = true;
  }

  /** One piece a turn of the loop, so that a paused sink is heard in time. */
  #push(): void {
    if (this.#isPaused || this.isCancelled || this.pushedBytes === this.totalBytes) return;
    this.pushedBytes += PIECE.length;
    this.#sink!.onData(PIECE);
    if (this.pushedBytes === this.totalBytes) this.#sink!.onEnd(undefined);
    else setImmediate(() => this.#push());
  }
}
