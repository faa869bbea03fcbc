/** A whole body in memory: for plugins that asked for it, for mirrors, and for health checks. */
import type { BodySink, BodySource } from './body-source.ts';

/** Collects a body. Rejects with the source's error, for instance when it passes the body limit. */
export function collectBody(source: BodySource): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    source.start({
      onData: (chunk) => chunks.push(chunk),
      onEnd: () => resolve(Buffer.concat(chunks)),
      onError: reject,
    });
  });
}

/** Bytes at hand as a source. */
export class BufferedBody implements BodySource {
  readonly length: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  start(sink: BodySink): void {
    if (this.length > 0) sink.onData(this.#bytes);
    sink.onEnd(undefined);
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {}
}
