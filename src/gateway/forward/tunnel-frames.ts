/** Where WebSocket frames begin and end in a stream of bytes (RFC 6455 §5.2), payloads unread. */
import { randomFillSync } from 'node:crypto';

const OPCODE_CLOSE = 0x8;
const MASK_BIT = 0x80;

/** Follows one direction of a WebSocket. Trusts nobody: nonsense lengths just never end. */
export class FrameTracker {
  /** A Close frame has begun: nothing may be sent after it. */
  closing = false;
  /** Bytes of the current frame's payload (and mask) still to come. */
  #payload = 0;
  /** Bytes of the current frame's header read so far; none: at a boundary. */
  #header = Buffer.alloc(10);
  #headerLength = 0;

  /** The next byte begins a frame. */
  get atBoundary(): boolean {
    return this.#payload === 0 && this.#headerLength === 0;
  }

  /**
   * Goes over a chunk and returns how much of it was passed: all, or, with `stopAtBoundary`,
   * up to the first end of a frame (0 when it is at one already).
   */
  advance(chunk: Uint8Array, stopAtBoundary: boolean): number {
    let at = 0;
    while (at < chunk.length) {
      if (stopAtBoundary && this.atBoundary) return at;
      if (this.#payload > 0) {
        const step = Math.min(this.#payload, chunk.length - at);
        this.#payload -= step;
        at += step;
        continue;
      }
      this.#header[this.#headerLength++] = chunk[at++]!;
      this.#readHeader();
    }
    return at;
  }

  #readHeader(): void {
    const header = this.#header;
    const have = this.#headerLength;
    if (have < 2) return;
    const short = header[1]! & 0x7f;
    if (have < (short === 126 ? 4 : short === 127 ? 10 : 2)) return;
    const length =
      short === 126
        ? header.readUInt16BE(2)
        : short === 127
          ? header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
          : short;
    if ((header[0]! & 0x0f) === OPCODE_CLOSE) this.closing = true;
    this.#payload = length + ((header[1]! & MASK_BIT) === 0 ? 0 : 4);
    this.#headerLength = 0;
  }
}

/** A Close frame with a status code; a client's is masked (RFC 6455 §5.3). */
export function closeFrame(code: number, masked: boolean): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  const head = Buffer.from([0x80 | OPCODE_CLOSE, payload.length | (masked ? MASK_BIT : 0)]);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomFillSync(Buffer.alloc(4));
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i % 4]!;
  return Buffer.concat([head, mask, payload]);
}
