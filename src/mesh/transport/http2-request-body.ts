/** Sends a request's body over an HTTP/2 stream, with its trailers. */
import type { ClientHttp2Stream } from 'node:http2';
import type { BodySource } from './body-source.ts';
import { toTrailerFields } from './http2-request-fields.ts';
import { RequestBody, type RequestBodyOwner } from './request-body.ts';

export class Http2RequestBody extends RequestBody {
  readonly #stream: ClientHttp2Stream;
  #trailers: readonly string[] | undefined;

  constructor(owner: RequestBodyOwner, stream: ClientHttp2Stream, source: BodySource) {
    super(owner, source);
    this.#stream = stream;
  }

  protected override write(chunk: Uint8Array): boolean {
    return this.#stream.write(chunk);
  }

  protected override finish(trailers: readonly string[] | undefined): void {
    this.#trailers = trailers;
    this.#stream.end();
  }

  /** The last DATA frame is out and the stream waits for trailers; without any it just ends. */
  sendTrailers(): void {
    try {
      this.#stream.sendTrailers(toTrailerFields(this.#trailers));
    } catch (error) {
      this.owner.onBodyFailed('the trailers cannot be sent', error);
    }
  }
}
