/** Reads a socket into memory that is there already, where Node.js would make new memory for each read. */
import type { Socket } from 'node:net';
import { beginEvent, endEvent } from './event-time.ts';
import { common, COMMON_BYTES, freeSlab, give, lend, SLAB_BYTES, takeSlab } from './read-memory.ts';
import { handleOf, noteActivity, streamWrap, type StreamHandle } from './stream-handle.ts';

/** A read of a slab that is shorter is copied where it is kept: so little must not hold so much. */
const GIVEN_BYTES = SLAB_BYTES / 2;

/**
 * Hands over what a socket has read before and what it reads from now on. The bytes are there
 * until `onBytes` returns; whoever needs them longer takes them by `keep`. `pause` and `resume`
 * of the socket work as ever.
 */
export class SocketReads {
  readonly #socket: Socket;
  readonly #onBytes: (bytes: Buffer) => void;
  readonly #handle: StreamHandle | undefined;
  /** What Node.js does with a read, an end and an error; undefined: it makes the memory, and we are told. */
  readonly #nodes: StreamHandle['onread'] | undefined = undefined;
  /** What is read into next. */
  #memory = common;
  #isAtEnd = false;
  #hasEnded = false;

  constructor(socket: Socket, onBytes: (bytes: Buffer) => void) {
    this.#socket = socket;
    this.#onBytes = onBytes;
    this.#handle = handleOf(socket);
    // What was read before; and everything, where Node.js makes the memory.
    socket.on('data', onBytes);
    const handle = this.#handle;
    if (streamWrap === undefined || handle === undefined) return;
    this.#nodes = handle.onread;
    handle.onread = this.#onRead;
    handle.useUserBuffer(common);
  }

  /** What has been read by now is not followed by more of its kind. */
  atEnd(): void {
    this.#isAtEnd = true;
  }

  /** The socket is a stream like any other again: what it reads is for whoever listens to it. */
  end(): void {
    this.#hasEnded = true;
    this.#socket.off('data', this.#onBytes);
  }

  readonly #onRead = (): Buffer | undefined => {
    const { streamBaseState, kReadBytesOrError } = streamWrap!;
    const length = streamBaseState[kReadBytesOrError]!;
    const socket = this.#socket;
    // Streams look after paused sockets now and then, and read of those that have memory.
    if (length <= 0 || this.#hasEnded || socket.destroyed || socket.isPaused()) {
      return this.#leaveToNode(length);
    }
    noteActivity(socket);
    const memory = this.#memory;
    this.#isAtEnd = false;
    const isGiven = length >= GIVEN_BYTES;
    beginEvent();
    try {
      this.#onBytes(isGiven ? give(memory, length) : lend(memory, length));
    } finally {
      endEvent();
    }
    if (memory === common) {
      // A read that fills what there was is followed by more.
      if (length === COMMON_BYTES && !this.#isAtEnd) return this.#take(takeSlab());
    } else if (this.#isAtEnd || length < COMMON_BYTES) {
      if (!isGiven) freeSlab(memory);
      return this.#take(common);
    } else if (isGiven) {
      return this.#take(takeSlab());
    }
    return undefined;
  };

  #take(memory: Buffer): Buffer {
    this.#memory = memory;
    return memory;
  }

  #leaveToNode(length: number): Buffer | undefined {
    const memory = this.#memory;
    const copy = length > 0 ? memory.buffer.slice(0, length) : undefined;
    this.#nodes!.call(this.#handle!, copy);
    if (memory === common) return undefined;
    freeSlab(memory);
    return this.#take(common);
  }
}
