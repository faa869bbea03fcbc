/** Writes to a socket past the buffers of node:stream, as long as nothing waits in them. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import {
  carrierOf,
  findSlot,
  handleOf,
  noteActivity,
  streamWrap,
  type Carrier,
  type Slots,
  type StreamHandle,
  type WriteRequest,
} from './stream-handle.ts';

/** By which a socket that times out tells whether some of a write has left meanwhile. */
const queueSizeSlot = findSlot('lastWriteQueueSize');

/** For the next write of any socket. */
let spare = streamWrap && new streamWrap.WriteWrap();

/**
 * For messages that are written whole. The system mostly takes them at once, and then nothing of
 * what a stream does for those that wait is needed (-6 % for a bare request). What it does not take
 * is written in order: libuv queues what the stream writes after it. TLS needs the stream, since it
 * has one write at a time.
 */
export class SocketWrites {
  readonly #socket: Socket;
  /** Undefined: everything goes by the stream. */
  readonly #handle: StreamHandle | undefined;
  /** Of TLS. */
  readonly #carrier: Carrier | undefined;
  /** Writes past the stream that the system has not taken. */
  #waiting = 0;

  /** `socket` is connected. */
  constructor(socket: Socket) {
    this.#socket = socket;
    const isTls = socket instanceof TLSSocket;
    const isDirect = streamWrap !== undefined && queueSizeSlot !== undefined && !isTls;
    this.#handle = isDirect ? handleOf(socket) : undefined;
    this.#carrier = isTls ? carrierOf(socket) : undefined;
  }

  /** The system has taken all that was written; as far as TLS knows, which learns of it later. */
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#socket.writableLength === 0;
  }

  /**
   * Of TLS, after a write of no more than 64 KiB while it was idle: the system has taken all of it. TLS tells
   * of it only in the next turn, by when a fast client has asked for more. False where it cannot be seen.
   */
  get hasLeft(): boolean {
    return this.#carrier?.writeQueueSize === 0;
  }

  /** Text is Latin-1. Returns whether the system has taken all of it: the bytes are the caller's again. */
  write(data: string | Uint8Array): boolean {
    const socket = this.#socket;
    const handle = this.#handle;
    // The handle is closed only with the socket, which is not writable any more then.
    if (handle !== undefined && this.isIdle && socket.writable) return this.#writeTo(handle, data);
    socket.write(data, 'latin1');
    return false;
  }

  #writeTo(handle: StreamHandle, data: string | Uint8Array): boolean {
    const { streamBaseState, kLastWriteWasAsync, WriteWrap } = streamWrap!;
    const request = spare!;
    const code =
      typeof data === 'string'
        ? handle.writeLatin1String(request, data)
        : handle.writeBuffer(request, data);
    if (code !== 0) {
      this.#fail(code);
      return false;
    }
    noteActivity(this.#socket);
    if (streamBaseState[kLastWriteWasAsync] === 0) return true;
    spare = new WriteWrap();
    this.#wait(request, data);
    return false;
  }

  #wait(request: WriteRequest, data: string | Uint8Array): void {
    this.#waiting++;
    (this.#socket as unknown as Slots)[queueSizeSlot!] = data.length;
    request.data = data;
    request.oncomplete = (status) => {
      this.#waiting--;
      if (status < 0) this.#fail(status);
    };
  }

  #fail(code: number): void {
    const name = getSystemErrorName(code);
    this.#socket.destroy(
      Object.assign(new Error(`write ${name}`), { errno: code, code: name, syscall: 'write' }),
    );
  }
}
