/** WebSocket frames by hand (RFC 6455 §5.2), for clients and servers that are no library. */
import { randomBytes } from 'node:crypto';

export const TEXT = 1;
export const BINARY = 2;
const CLOSE = 8;

export interface Frame {
  readonly final: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A frame; a client's must be masked, a server's must not. */
export function toFrame(
  opcode: number,
  payload: string | Uint8Array,
  options: { readonly masked: boolean; readonly final?: boolean },
): Buffer {
  const bytes = Buffer.from(payload as Uint8Array);
  const { length } = bytes;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const head = Buffer.alloc(size);
  head[0] = (options.final === false ? 0 : 0x80) | opcode;
  head[1] = (options.masked ? 0x80 : 0) | (size === 2 ? length : size === 4 ? 126 : 127);
  if (size === 4) head.writeUInt16BE(length, 2);
  if (size === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!options.masked) return Buffer.concat([head, bytes]);
  const mask = randomBytes(4);
  for (let i = 0; i < length; i++) bytes[i]! ^= mask[i % 4]!;
  return Buffer.concat([head, mask, bytes]);
}

export function toClose(code: number, masked: boolean): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return toFrame(CLOSE, payload, { masked });
}

/** The whole frames that stand at the beginning of `bytes`, unmasked. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const masked = (bytes[at + 1]! & 0x80) !== 0;
    const short = bytes[at + 1]! & 0x7f;
    const size = (short === 126 ? 4 : short === 127 ? 10 : 2) + (masked ? 4 : 0);
    if (at + size > bytes.length) break;
    const length =
      short === 126
        ? bytes.readUInt16BE(at + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short;
    if (at + size + length > bytes.length) break;
    const payload = Buffer.from(bytes.subarray(at + size, at + size + length));
    if (masked) {
      const mask = bytes.subarray(at + size - 4, at + size);
      for (let i = 0; i < length; i++) payload[i]! ^= mask[i % 4]!;
    }
    frames.push({ final: (bytes[at]! & 0x80) !== 0, opcode: bytes[at]! & 0x0f, payload });
    at += size + length;
  }
  return frames;
}

/** The code of the first Close frame; undefined where there is none. */
export function closeCodeIn(bytes: Buffer): number | undefined {
  return parseFrames(bytes)
    .find(({ opcode }) => opcode === CLOSE)
    ?.payload.readUInt16BE();
}
