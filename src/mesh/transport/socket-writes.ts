/** Writes to a socket past the buffers of node:stream, as long as nothing waits in them. */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

type Written = (error?: Error | null) => void;

/**
 * What `write` of a socket comes to in the end, by the name that it has had in all of Node.js; where
 * one has it elsewhere, everything is as without it, and only slower.
 */
// oxlint-disable-next-line typescript/unbound-method -- it is called on a socket
const { _writeGeneric: writeGeneric } = Socket.prototype as {
  _writeGeneric?(
    isVector: false,
    data: string | Uint8Array,
    encoding: 'latin1' | 'buffer',
    onWritten: Written,
  ): void;
};

/**
 * For messages that are written whole. The system mostly takes them at once, and then nothing of
 * what a stream does for those that wait is needed (-4 % for a bare request). What it does not take
 * is written in order: libuv queues what the stream writes after it. TLS needs the stream, since it
 * has one write at a time.
 */
export class SocketWrites {
  readonly #socket: Socket;
  readonly #isDirect: boolean;
  /** Writes past the stream that the system has not taken. */
  #waiting = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#isDirect = writeGeneric !== undefined && !(socket instanceof TLSSocket);
  }

  /** The system has taken all that was written; as far as TLS knows, which learns of it later. */
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#socket.writableLength === 0;
  }

  /** Text is Latin-1. Returns whether the system has taken all of it: the bytes are the caller's again. */
  write(data: string | Uint8Array): boolean {
    const socket = this.#socket;
    if (!this.#isDirect || !this.isIdle || !socket.writable || socket.connecting) {
      socket.write(data, 'latin1');
      return false;
    }
    this.#waiting++;
    const encoding = typeof data === 'string' ? 'latin1' : 'buffer';
    writeGeneric!.call(socket, false, data, encoding, this.#onWritten);
    return this.#waiting === 0;
  }

  readonly #onWritten: Written = (error) => {
    this.#waiting--;
    if (error !== undefined && error !== null) this.#socket.destroy(error);
  };
}
