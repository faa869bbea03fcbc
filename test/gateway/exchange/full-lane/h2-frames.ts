/** HTTP/2 frames by hand, for what no client library would send. */
import type { RawClient } from '../raw-client.ts';

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 1;
export const END_HEADERS = 4;

export const ENHANCE_YOUR_CALM = 11;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** Literal fields without indexing and without Huffman (RFC 7541 §6.2.2). */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), hpackString(name), hpackString(value)]),
  );
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length: number[] = [];
  let rest = bytes.length;
  if (rest < 127) {
    length.push(rest);
  } else {
    length.push(127);
    for (rest -= 127; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
];

/** A request without a body. */
export function requestFrame(stream: number, fields = GET): Buffer {
  return frame(HEADERS, END_HEADERS | END_STREAM, stream, headerBlock(fields));
}

/** Sends preface and settings, and acknowledges the server's. */
export async function greet(client: RawClient): Promise<void> {
  client.send(PREFACE).send(frame(SETTINGS, 0, 0));
  await client.until(({ received }) => parseFrames(received).some(({ type }) => type === SETTINGS));
  client.send(frame(SETTINGS, 1, 0));
}

/** The error code of the first frame of a kind: RST_STREAM or GOAWAY. */
export function errorCode(frames: readonly Frame[], type: number): number | undefined {
  const found = frames.find((each) => each.type === type && codeOf(each) !== 0);
  return found === undefined ? undefined : codeOf(found);
}

function codeOf({ type, payload }: Frame): number {
  return payload.readUInt32BE(type === GOAWAY ? 4 : 0);
}
