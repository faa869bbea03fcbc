/** An answer's body that goes through a plugin's transform streams on its way down. */
import { finished, type Duplex } from 'node:stream';
import type { Downstream } from '../exchange/lane.ts';

export interface TransformEvents {
  /** The first transform takes more. */
  onWritable(): void;
  onError(error: Error): void;
}

export class TransformedAnswer {
  readonly #entry: Duplex;
  readonly #exit: Duplex;
  readonly #all: readonly Duplex[];
  #destroyed = false;

  constructor(transforms: readonly Duplex[], downstream: Downstream, events: TransformEvents) {
    this.#all = transforms;
    this.#entry = transforms[0]!;
    this.#exit = transforms.at(-1)!;
    for (let i = 1; i < transforms.length; i++) transforms[i - 1]!.pipe(transforms[i]!);
    for (const transform of transforms) transform.on('error', (error) => events.onError(error));
    this.#entry.on('drain', () => events.onWritable());
    this.#exit.on('data', (chunk: Uint8Array) => {
      if (!downstream.write(chunk)) this.#exit.pause();
    });
    finished(this.#exit, { writable: false }, (error) => {
      if (!error) downstream.end();
      // One that was destroyed before its end would leave the client waiting.
      else if (!this.#destroyed) events.onError(error);
    });
  }

  /** Returns false when the transform is full: wait for `onWritable`. */
  write(chunk: Uint8Array): boolean {
    return this.#entry.write(chunk);
  }

  end(): void {
    this.#entry.end();
  }

  /** The client takes more. */
  resume(): void {
    this.#exit.resume();
  }

  destroy(): void {
    this.#destroyed = true;
    for (const transform of this.#all) transform.destroy();
  }
}
