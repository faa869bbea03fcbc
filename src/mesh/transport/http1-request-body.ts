/** Sends a request's body over HTTP/1.1: as it is where its length is declared, else in chunks. */
import type { Socket } from 'node:net';
import type { BodySource } from './body-source.ts';
import { toChunkedEnd, toChunkStart } from './http1-request-writer.ts';
import { RequestBody, type RequestBodyOwner } from './request-body.ts';

export class Http1RequestBody extends RequestBody {
  readonly #socket: Socket;

  constructor(owner: RequestBodyOwner, socket: Socket, source: BodySource) {
    super(owner, source);
    this.#socket = socket;
  }

  /** Corked, so that what is at hand leaves in one packet with the head before it. */
  override start(): void {
    this.#socket.cork();
    super.start();
    this.#socket.uncork();
  }

  protected override write(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.length !== undefined) return socket.write(chunk);
    socket.cork();
    socket.write(toChunkStart(chunk.length), 'latin1');
    socket.write(chunk);
    const hasRoom = socket.write('\r\n', 'latin1');
    socket.uncork();
    return hasRoom;
  }

  protected override finish(trailers: readonly string[] | undefined): void {
    if (this.length === undefined) this.#socket.write(toChunkedEnd(trailers), 'latin1');
  }
}
