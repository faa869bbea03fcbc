/** Frames of the WebSocket protocol, as a server reads and writes them (RFC 6455 section 5.2). */

export interface Frame {
  /** The first byte: FIN, three reserved bits, and the opcode. */
  readonly head: number;
  readonly payload: Buffer;
  /** Bytes that it took. */
  readonly length: number;
}

const RESERVED_BITS = 0x70;
const MASKED = 0x80;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;

/**
 * The first frame, unmasked; undefined while it is incomplete; or the code to close with: 1002 where
 * it is not masked (section 5.1) or of an extension, 1009 where it has 64 KiB or more.
 */
export function readFrame(bytes: Buffer): Frame | 1002 | 1009 | undefined {
  if (bytes.length < 2) return undefined;
  if ((bytes[1]! & MASKED) === 0 || (bytes[0]! & RESERVED_BITS) !== 0) return 1002;
  const short = bytes[1]! & ~MASKED;
  if (short === LENGTH_IN_8_BYTES) return 1009;
  const long = short === LENGTH_IN_2_BYTES;
  const maskAt = long ? 4 : 2;
  if (bytes.length < maskAt + 4) return undefined;
  const size = long ? bytes.readUInt16BE(2) : short;
  const begin = maskAt + 4;
  if (bytes.length < begin + size) return undefined;
  const payload = Buffer.from(bytes.subarray(begin, begin + size));
  for (let i = 0; i < size; i++) payload[i] = payload[i]! ^ bytes[maskAt + (i & 3)]!;
  return { head: bytes[0]!, payload, length: begin + size };
}

/** `head` as in `Frame`; the payload is shorter than 64 KiB. */
export function writeFrame(head: number, payload: Buffer): Buffer {
  if (payload.length < LENGTH_IN_2_BYTES) {
    return Buffer.concat([Buffer.from([head, payload.length]), payload]);
  }
  const prefix = Buffer.from([head, LENGTH_IN_2_BYTES, 0, 0]);
  prefix.writeUInt16BE(payload.length, 2);
  return Buffer.concat([prefix, payload]);
}
