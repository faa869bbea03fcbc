/** The writing side of a wire lane's connection: what one turn of the event loop has for it is written at once. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { writeLatin1 } from '../../../mesh/transport/octets.ts';
import { giveBack, keep } from '../../../mesh/transport/read-memory.ts';
import { SocketWrites } from '../../../mesh/transport/socket-writes.ts';
import {
  atTurnEnd,
  onceWritten,
  type TurnEnding,
  type TurnSettling,
} from '../../../mesh/transport/turn-end.ts';
import { canExtend, closeRun, MAX_COPIED_BYTES, openRun, type WriteBlock } from './write-block.ts';

export interface WireOutputOwner {
  /** Before what was gathered is written: there may be more. */
  onTurnEnding(): void;
  /** All that was written before `leave` has left. */
  onLeft(): void;
}

/** So much is worth a write of its own; a first read of an answer that is longer (`socket-reads.ts`) waits for the next. */
const MAX_GATHERED_BYTES = 32 * 1024;

/** More than this on its way to the client, and it is slow. Twice what a socket is read by. */
const MAX_UNSENT_BYTES = 128 * 1024;

const NONE: Uint8Array[] = [];
const NO_BLOCKS: WriteBlock[] = [];

export class WireOutput implements TurnEnding, TurnSettling {
  readonly #socket: Socket;
  readonly #writes: SocketWrites;
  readonly #owner: WireOutputOwner;
  /** It has one write at a time, and tells of each later. */
  readonly #isTls: boolean;
  /** What comes before the run: earlier runs, and what is too much to be copied. */
  #pieces = NONE;
  /** Of the pieces, those that nobody else has. */
  #soles = NONE;
  /** Those of earlier runs. */
  #blocks = NO_BLOCKS;
  /** The run that is written to, from `#from` to `#to` of its block. */
  #block: WriteBlock | undefined;
  #from = 0;
  #to = 0;
  /** Of pieces and run. */
  #bytes = 0;
  #markedBytes = 0;
  #isFlushDue = false;
  /** The owner waits to hear that all has left: once it has been written … */
  #mustLeave = false;
  /** … and now that it has been. */
  #isLeaving = false;

  constructor(socket: Socket, owner: WireOutputOwner) {
    this.#socket = socket;
    this.#writes = new SocketWrites(socket);
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
    const { length } = piece;
    // Hints and trailers may be longer than any head.
    if (length > MAX_COPIED_BYTES) {
      this.#add(Buffer.from(piece, 'latin1'));
      return;
    }
    writeLatin1(this.#extend(length), piece, this.#to);
    this.#to += length;
  }

  /** A large one is taken as it is: as `keep` does, or without a copy. `isSole`: see `Downstream.write`. */
  chunk(piece: Uint8Array, isSole = false): void {
    const { length } = piece;
    if (length <= MAX_COPIED_BYTES) {
      this.#extend(length).set(piece, this.#to);
      this.#to += length;
      return;
    }
    const kept = keep(piece);
    this.#add(kept);
    if (isSole) this.#soles = [...this.#soles, kept];
  }

  #add(piece: Uint8Array): void {
    this.#endRun();
    this.#pieces = [...this.#pieces, piece];
    this.#bytes += piece.length;
  }

  /** Makes room for so much at the end of the run. */
  #extend(length: number): Buffer {
    let block = this.#block;
    if (block === undefined || !canExtend(block, this.#to, length)) {
      this.#endRun();
      block = this.#block = openRun(length);
      this.#from = this.#to = block.used;
    }
    block.used += length;
    this.#bytes += length;
    return block.bytes;
  }

  /** The run becomes a piece among others. */
  #endRun(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    this.#blocks = [...this.#blocks, block];
    this.#pieces = [...this.#pieces, block.bytes.subarray(this.#from, this.#to)];
  }

  /** Writes at the end of this turn, unless it has been done before. */
  flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    atTurnEnd(this);
  }

  /** The owner hears, at the end of this turn or later, when all that is written until then has left. */
  leave(): void {
    this.#mustLeave = true;
    this.flushSoon();
  }

  /** For `flushSoon` alone. */
  endTurn(): void {
    this.#isFlushDue = false;
    this.#owner.onTurnEnding();
    if (this.#mustLeave) this.#leaveNow();
    else this.flush();
  }

  #leaveNow(): void {
    this.#mustLeave = false;
    if (this.flush() || this.#isIdle) {
      onceWritten(this);
      return;
    }
    if (this.#socket.destroyed) return;
    this.#isLeaving = true;
    // TLS tells of each write; else the system takes an empty one when it has taken all before it.
    if (!this.#isTls) this.#socket.write('', this.#onWritten);
  }

  /** For `leave` alone. */
  settleTurn(): void {
    this.#owner.onLeft();
  }

  get #isIdle(): boolean {
    return this.#writes.isIdle && !this.#socket.destroyed;
  }

  readonly #onWritten = (): void => {
    if (!this.#isLeaving || !this.#isIdle) return;
    this.#isLeaving = false;
    this.#owner.onLeft();
  };

  /** Returns whether all of it has been taken by the system, as far as that is known. */
  flush(): boolean {
    if (this.#bytes === 0) return false;
    this.#markedBytes = 0;
    if (this.#pieces === NONE) return this.#flushRun();
    this.#flushPieces();
    return false;
  }

  /** Past the stream no Buffer is needed, which takes twice as long to make as the array beneath it. */
  #flushRun(): boolean {
    const block = this.#block!;
    const from = this.#from;
    const to = this.#to;
    this.#block = undefined;
    this.#bytes = 0;
    if (!this.#writes.isIdle) {
      // A slow client must not hold all of a block.
      this.#socket.write(Buffer.from(block.bytes.subarray(from, to)), this.#onWritten);
      closeRun(block);
    } else if (this.#isTls) {
      this.#socket.write(block.bytes.subarray(from, to), (error) => {
        if (error === undefined || error === null) closeRun(block);
        this.#onWritten();
      });
      return this.#writes.hasLeft;
    } else if (this.#writes.write(new Uint8Array(block.memory, from, to - from))) {
      closeRun(block);
      return true;
    }
    return false;
  }

  #flushPieces(): void {
    this.#endRun();
    const pieces = this.#pieces;
    const soles = this.#soles;
    const blocks = this.#blocks;
    this.#forget();
    const socket = this.#socket;
    socket.cork();
    for (let i = 0; i < pieces.length - 1; i++) socket.write(pieces[i]!);
    socket.write(pieces.at(-1)!, (error) => {
      // Of what broke off nobody knows who still reads it.
      if (error === undefined || error === null) {
        for (const sole of soles) giveBack(sole);
        for (const block of blocks) closeRun(block);
      }
      this.#onWritten();
    });
    socket.uncork();
  }

  /** What is there now belongs to answers that are complete. */
  mark(): void {
    this.#markedBytes = this.#bytes;
  }

  /** Forgets what came after the mark and has not been written. */
  dropFromMark(): void {
    this.#endRun();
    const pieces = this.#pieces;
    let left = this.#markedBytes;
    this.#forget();
    for (const piece of pieces) {
      if (left <= 0) return;
      this.#add(piece.length <= left ? piece : piece.subarray(0, left));
      left -= piece.length;
    }
  }

  #forget(): void {
    this.#pieces = NONE;
    this.#soles = NONE;
    this.#blocks = NO_BLOCKS;
    this.#bytes = 0;
    this.#markedBytes = 0;
  }
}
