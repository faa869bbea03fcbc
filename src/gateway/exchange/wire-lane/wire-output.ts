/** The writing side of a wire lane's connection: what one turn of the event loop has for it is written at once. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { giveBack, LEAST_REUSED_BYTES } from '../../../mesh/transport/read-memory.ts';
import { atTurnEnd, type TurnEnding } from '../../../mesh/transport/turn-end.ts';

export interface WireOutputOwner {
  /** Before what was gathered is written: there may be more. */
  onTurnEnding(): void;
  /** All that was written before `leave` has left. */
  onLeft(): void;
}

/** Up to here one buffer is made of the pieces: measured cheaper than handing them over one by one. */
const MAX_COPIED_BYTES = 16 * 1024;

/** So much is worth a write of its own; a first read of an answer that is longer (`socket-reads.ts`) waits for the next. */
const MAX_GATHERED_BYTES = 32 * 1024;

/** More than this on its way to the client, and it is slow. Twice what a socket is read by. */
const MAX_UNSENT_BYTES = 128 * 1024;

type Piece = string | Uint8Array;

const NONE: Uint8Array[] = [];

export class WireOutput implements TurnEnding {
  readonly #socket: Socket;
  readonly #owner: WireOutputOwner;
  /** Whether a write has left is known at once, but for TLS. */
  readonly #isTls: boolean;
  #pieces: Piece[] = [];
  #bytes = 0;
  /** Pieces before the mark, and their bytes. */
  #markedPieces = 0;
  #markedBytes = 0;
  /** Of the pieces, large ones that nobody else has. */
  #soles: Uint8Array[] = NONE;
  #isFlushDue = false;
  #isLeaving = false;

  constructor(socket: Socket, owner: WireOutputOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#isTls = socket instanceof TLSSocket;
  }

  /** The client has read all before, and what was gathered since is little. */
  get isLight(): boolean {
    return !this.isFull && this.#isIdle;
  }

  /** The client does not read as fast as it is written to. */
  get isBlocked(): boolean {
    return this.#socket.writableLength >= MAX_UNSENT_BYTES;
  }

  /** What was gathered is worth a write of its own. */
  get isFull(): boolean {
    return this.#bytes >= MAX_GATHERED_BYTES;
  }

  /** Latin-1. */
  text(piece: string): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** Taken as it is, without a copy where it is large. `isSole`: see `Downstream.write`. */
  chunk(piece: Uint8Array, isSole = false): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (!isSole || piece.length < LEAST_REUSED_BYTES) return;
    if (this.#soles === NONE) this.#soles = [piece];
    else this.#soles.push(piece);
  }

  /** Writes at the end of this turn, unless it has been done before. */
  flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    atTurnEnd(this);
  }

  /** The owner hears, at the end of this turn or later, when all that is written until then has left. */
  leave(): void {
    this.#isLeaving = true;
    this.flushSoon();
  }

  /** For `flushSoon` alone. */
  endTurn(): void {
    this.#isFlushDue = false;
    this.#owner.onTurnEnding();
    if (this.#isLeaving) this.#leaveNow();
    else this.flush();
  }

  #leaveNow(): void {
    if (this.#isTls && this.#bytes > 0) {
      this.flush(this.#onWritten);
      return;
    }
    this.flush();
    // The system takes it when it has taken all before it.
    if (this.#isIdle) this.#onWritten();
    else if (!this.#socket.destroyed) this.#socket.write('', this.#onWritten);
  }

  get #isIdle(): boolean {
    const socket = this.#socket;
    return socket.writableLength === 0 && !socket.destroyed;
  }

  readonly #onWritten = (): void => {
    if (!this.#isLeaving || !this.#isIdle) return;
    this.#isLeaving = false;
    this.#owner.onLeft();
  };

  /** `onWritten`: all of it has been taken by the system. */
  flush(onWritten?: () => void): void {
    const pieces = this.#pieces;
    const bytes = this.#bytes;
    if (bytes === 0) return;
    const socket = this.#socket;
    const soles = this.#soles;
    this.#clear();
    if (pieces.length === 1) {
      write(socket, pieces[0]!, soles, onWritten);
    } else if (bytes <= MAX_COPIED_BYTES) {
      const whole = Buffer.allocUnsafe(bytes);
      let at = 0;
      for (const piece of pieces) {
        if (typeof piece === 'string') whole.write(piece, at, 'latin1');
        else whole.set(piece, at);
        at += piece.length;
      }
      for (const sole of soles) giveBack(sole);
      socket.write(whole, onWritten);
    } else {
      socket.cork();
      for (let i = 0; i < pieces.length - 1; i++) write(socket, pieces[i]!, soles, undefined);
      write(socket, pieces.at(-1)!, soles, onWritten);
      socket.uncork();
    }
  }

  /** What is there now belongs to answers that are complete. */
  mark(): void {
    this.#markedPieces = this.#pieces.length;
    this.#markedBytes = this.#bytes;
  }

  /** Forgets what came after the mark and has not been written. */
  dropFromMark(): void {
    this.#pieces.length = this.#markedPieces;
    this.#bytes = this.#markedBytes;
    this.#soles = NONE;
  }

  #clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#soles = NONE;
    this.#markedPieces = 0;
    this.#markedBytes = 0;
  }
}

function write(
  socket: Socket,
  piece: Piece,
  soles: readonly Uint8Array[],
  onWritten: (() => void) | undefined,
): void {
  if (typeof piece === 'string') socket.write(piece, 'latin1', onWritten);
  else if (!soles.includes(piece)) socket.write(piece, onWritten);
  else {
    socket.write(piece, (error) => {
      // Of one that broke off nobody knows who still reads it.
      if (error === undefined || error === null) giveBack(piece);
      onWritten?.();
    });
  }
}
