/** A request body that goes through a plugin's transform streams on its way up. */
import { finished, type Duplex } from 'node:stream';
import type { BodySink, BodySource } from '../../mesh/transport/body-source.ts';
import { pluginFailed } from '../pipeline/plugin-failed.ts';

export class TransformedBody implements BodySource, BodySink {
  /** A transform may change it. */
  readonly length = undefined;
  readonly #source: BodySource;
  readonly #entry: Duplex;
  readonly #exit: Duplex;
  readonly #all: readonly Duplex[];
  #sink: BodySink | undefined;

  constructor(source: BodySource, transforms: readonly Duplex[]) {
    this.#source = source;
    this.#all = transforms;
    this.#entry = transforms[0]!;
    this.#exit = transforms.at(-1)!;
    for (let i = 1; i < transforms.length; i++) transforms[i - 1]!.pipe(transforms[i]!);
    for (const transform of transforms) {
      transform.on('error', (error: Error) => this.#fail(pluginFailed(error)));
    }
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#entry.on('drain', () => this.#source.resume());
    this.#exit.on('data', (chunk: Uint8Array) => this.#sink?.onData(chunk));
    finished(this.#exit, { writable: false }, (error) => {
      // A transform that was destroyed before its end has nothing more to come either.
      if (error) this.#fail(pluginFailed(error));
      else this.#sink?.onEnd(undefined);
    });
    this.#source.start(this);
  }

  pause(): void {
    this.#exit.pause();
  }

  resume(): void {
    this.#exit.resume();
  }

  cancel(): void {
    this.#sink = undefined;
    this.#source.cancel();
    for (const transform of this.#all) transform.destroy();
  }

  onData(chunk: Uint8Array): void {
    if (!this.#entry.write(chunk)) this.#source.pause();
  }

  onEnd(): void {
    this.#entry.end();
  }

  onError(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.cancel();
    sink.onError(error);
  }
}
