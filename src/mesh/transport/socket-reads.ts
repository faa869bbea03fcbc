/** Reads a socket into memory that is there already, where Node.js would make new memory for each read. */
import { Socket } from 'node:net';
import { common, COMMON_BYTES, freeSlab, give, lend, SLAB_BYTES, takeSlab } from './read-memory.ts';

/** A read of a slab that is shorter is copied where it is kept: so little must not hold so much. */
const GIVEN_BYTES = SLAB_BYTES / 2;

type Slots = Record<symbol, unknown>;
type Handled = { _handle: { useUserBuffer?(bytes: Uint8Array): void } | null };

/**
 * Where a socket has what `net.connect` takes as `onread`. Servers have no such option, so it is
 * set here on the socket itself. Undefined on a Node.js that keeps it elsewhere: then everything is
 * as without it, and only slower.
 */
const slotNames = findSlots(new Socket());

function findSlots(socket: Socket) {
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
 * Hands over what a socket has read before and what it reads from now on. The bytes are there
 * until `onBytes` returns; whoever needs them longer takes them by `keep`. `pause` and `resume`
 * of the socket work as ever.
 */
export class SocketReads {
  readonly #socket: Socket;
  readonly #onBytes: (bytes: Buffer) => void;
  #slots: Slots | undefined = undefined;
  #isAtEnd = false;

  constructor(socket: Socket, onBytes: (bytes: Buffer) => void) {
    this.#socket = socket;
    this.#onBytes = onBytes;
    // What was read before; and everything, where Node.js makes the memory.
    socket.on('data', onBytes);
    const { _handle: handle } = socket as unknown as Handled;
    if (slotNames === undefined || handle?.useUserBuffer === undefined) return;
    const slots = socket as unknown as Slots;
    this.#slots = slots;
    slots[slotNames.buffer] = common;
    slots[slotNames.callback] = this.#onRead;
    handle.useUserBuffer(common);
  }

  /** What has been read by now is not followed by more of its kind. */
  atEnd(): void {
    this.#isAtEnd = true;
  }

  /** The socket is a stream like any other again: what it reads is for whoever listens to it. */
  end(): void {
    const socket = this.#socket;
    socket.off('data', this.#onBytes);
    const slots = this.#slots;
    if (slots === undefined) return;
    slots[slotNames!.callback] = (length: number, memory: Buffer) => {
      slots[slotNames!.generator] = memory === common ? null : takeCommon;
      return socket.push(Buffer.from(memory.subarray(0, length)));
    };
  }

  readonly #onRead = (length: number, memory: Buffer): boolean => {
    // Streams look after paused sockets now and then, and read of those that have memory.
    if (this.#socket.isPaused()) return this.#socket.push(Buffer.from(memory.subarray(0, length)));
    this.#isAtEnd = false;
    const isGiven = length >= GIVEN_BYTES;
    this.#onBytes(isGiven ? give(memory, length) : lend(memory, length));
    const slots = this.#slots!;
    const { generator } = slotNames!;
    if (memory === common) {
      // A read that fills what there was is followed by more.
      slots[generator] = length === COMMON_BYTES && !this.#isAtEnd ? takeSlab : null;
    } else if (this.#isAtEnd || length < COMMON_BYTES) {
      slots[generator] = takeCommon;
      if (!isGiven) freeSlab(memory);
    } else {
      slots[generator] = isGiven ? takeSlab : null;
    }
    return true;
  };
}

function takeCommon(): Buffer {
  return common;
}
