/** Reads sockets into one piece of memory that all of them share, where Node.js would make a new one for each read. */
import { Socket } from 'node:net';

/** As much as libuv reads at once. */
const READ_BYTES = 64 * 1024;

const memory = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * The documented way is the option `onread` of `net.connect`; servers have none, so that it is set
 * here on the fields that the option sets. Undefined on a Node.js that has others: then everything
 * is as without it, and only slower.
 */
const fields = findFields(new Socket());

type OnRead = (length: number, bytes: Uint8Array) => boolean;
type Fields = { buffer: symbol; generator: symbol; callback: symbol };
type Handled = { _handle: { useUserBuffer?(bytes: Uint8Array): void } | null };

function findFields(socket: Socket): Fields | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const find = (name: string): symbol | undefined =>
    symbols.find(({ description }) => description === name);
  const buffer = find('kBuffer');
  const generator = find('kBufferGen');
  const callback = find('kBufferCb');
  if (buffer === undefined || generator === undefined || callback === undefined) return undefined;
  return { buffer, generator, callback };
}

/**
 * Hands over what the socket has read before and what it reads from now on. The bytes are there
 * until `onBytes` returns; whoever needs them longer takes them by `keep`. `pause` and `resume`
 * of the socket work as ever.
 */
export function readShared(socket: Socket, onBytes: (bytes: Buffer) => void): void {
  // What was read before; and everything, where memory cannot be shared.
  socket.on('data', onBytes);
  takeReads(socket, (length) => {
    onBytes(memory.subarray(0, length));
    return true;
  });
}

/** The socket is a stream like any other again: what it reads is given to whoever listens to it. */
export function unshareReads(socket: Socket, onBytes: (bytes: Buffer) => void): void {
  socket.off('data', onBytes);
  if (fields === undefined || (socket as unknown as Record<symbol, unknown>)[fields.buffer] === null) {
    return;
  }
  takeReads(socket, (length) => socket.push(Buffer.from(memory.subarray(0, length))));
}

function takeReads(socket: Socket, onRead: OnRead): void {
  const { _handle: handle } = socket as unknown as Handled;
  if (fields === undefined || handle?.useUserBuffer === undefined) return;
  const slots = socket as unknown as Record<symbol, unknown>;
  slots[fields.callback] = onRead;
  if (slots[fields.buffer] === memory) return;
  slots[fields.buffer] = memory;
  handle.useUserBuffer(memory);
}

/** The bytes for as long as they are wanted: themselves, or a copy where they lie in the shared memory. */
export function keep(bytes: Buffer): Buffer {
  if (bytes.buffer !== memory.buffer) return bytes;
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}
