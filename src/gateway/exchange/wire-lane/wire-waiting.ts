/** Bytes of a connection that cannot be read yet: a head that is not whole, or requests behind an answer that is due. */
import { keep } from '../../../mesh/transport/read-memory.ts';
import { PARTIAL, WHOLE, type HeadReader } from './wire-head.ts';

/** So many may wait before the connection is read no further. Not at once, for a client that leaves is not noticed then. */
const MAX_WAITING_BYTES = 64 * 1024;

export class WaitingBytes {
  #pieces: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  get isFull(): boolean {
    return this.#bytes >= MAX_WAITING_BYTES;
  }

  add(bytes: Buffer): void {
    this.#pieces.push(keep(bytes));
    this.#bytes += bytes.length;
  }

  /** Everything there is, followed by `next`; nothing waits after. */
  take(next?: Buffer): Buffer {
    const pieces = this.#pieces;
    if (next !== undefined) pieces.push(next);
    this.clear();
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  /** Whether a request waits, of which the head is whole or a matter of the other lane. */
  hasRequest(reader: HeadReader): boolean {
    if (this.isEmpty) return false;
    const bytes = this.take();
    this.add(bytes);
    return reader.read(bytes, 0) !== PARTIAL;
  }

  /** Whether the last request that waits says that the client asks for no more. */
  endsAsking(reader: HeadReader): boolean {
    const bytes = this.take();
    this.add(bytes);
    let asksToClose = false;
    for (let offset = 0; offset < bytes.length;) {
      if (reader.read(bytes, offset) !== WHOLE) return false;
      asksToClose = reader.asksToClose;
      // Where a body in chunks ends is not known here, so this is the last that can be known.
      if (reader.bodyLength < 0) return asksToClose;
      offset = reader.end + reader.bodyLength;
    }
    return asksToClose;
  }
}
