/** The reading side of a wire lane's connection: its bytes become one request after the other, and their bodies. */
import type { Socket } from 'node:net';
import type { MeshgateError } from '../../../errors.ts';
import type { HeadLimits } from '../head-limits.ts';
import { WireBody, type WireBodyOwner } from './wire-body.ts';
import { ChunkReader } from './wire-chunks.ts';
import { CHUNKED, PARTIAL, WHOLE, type HeadReader } from './wire-head.ts';
import { WaitingBytes } from './wire-waiting.ts';

export interface WireInputOwner {
  /** A further request may be read. False: its bytes wait, or are dropped if none will be served. */
  readonly isFree: boolean;
  readonly isClosing: boolean;
  readonly isAnswerBegun: boolean;
  /** A request has been read, and `serve` follows as soon as what is at hand of its body has been. */
  begin(head: HeadReader, body: WireBody | undefined): void;
  serve(): void;
  /** A head has begun that is not whole. */
  onHeadBegun(): void;
  /** These bytes are no canonical request. Nothing has been done with them. */
  onOdd(rest: Buffer): void;
  /** Where the body ends cannot be known any more. */
  onBroken(refusal: MeshgateError): void;
}

/** Where the next byte belongs. */
const HEAD = 0;
const BODY = 1;
/** To nobody: it is dropped. */
const NOWHERE = 2;

/** In how many pieces a head may come: each is read from its beginning, and the other lane knows better. */
const MAX_HEAD_PIECES = 16;

export class WireInput implements WireBodyOwner {
  /** The body that is being read, or was last. */
  body: WireBody | undefined = undefined;
  /** Further bytes are at hand, behind the request that is being served. */
  hasMore = false;
  /** Bytes are being read: what ends meanwhile is followed by the next by itself. */
  isReading = false;
  readonly waiting = new WaitingBytes();
  readonly #socket: Socket;
  readonly #owner: WireInputOwner;
  readonly #reader: HeadReader;
  readonly #limits: HeadLimits;
  #stage = HEAD;
  /** Bytes left of a body whose length is known. */
  #left = 0;
  #chunks: ChunkReader | undefined = undefined;
  /** Of the head that is not whole yet. */
  #headPieces = 0;
  #isBodyWanted = true;
  #isHeld = false;

  constructor(socket: Socket, owner: WireInputOwner, reader: HeadReader, limits: HeadLimits) {
    this.#socket = socket;
    this.#owner = owner;
    this.#reader = reader;
    this.#limits = limits;
  }

  get isStopped(): boolean {
    return this.#stage === NOWHERE;
  }

  get isAmidBody(): boolean {
    return this.#stage === BODY;
  }

  get isAnswerBegun(): boolean {
    return this.#owner.isAnswerBegun;
  }

  /** The connection has sent `chunk`. */
  push(chunk: Buffer): void {
    if (this.#stage === NOWHERE) return;
    const { waiting } = this;
    if (waiting.isEmpty) this.#read(chunk);
    else if (this.#owner.isFree) this.#read(waiting.take(chunk));
    else this.#wait(chunk);
  }

  /** Reads what waits. */
  proceed(): void {
    const bytes = this.waiting.take();
    this.#holdOrRead();
    this.#read(bytes);
  }

  /** Drops all that comes. */
  stop(): void {
    this.#stage = NOWHERE;
    this.waiting.clear();
    this.#holdOrRead();
  }

  readBody(wanted: boolean): void {
    this.#isBodyWanted = wanted;
    this.#holdOrRead();
  }

  #read(bytes: Buffer): void {
    const owner = this.#owner;
    let offset = 0;
    this.isReading = true;
    while (offset < bytes.length && this.#stage !== NOWHERE) {
      if (this.#stage === BODY) offset = this.#readBody(bytes, offset);
      else if (owner.isFree) offset = this.#readHead(bytes, offset);
      else {
        if (!owner.isClosing) this.#wait(offset === 0 ? bytes : bytes.subarray(offset));
        break;
      }
    }
    this.isReading = false;
    this.hasMore = false;
  }

  #wait(bytes: Buffer): void {
    this.waiting.add(bytes);
    if (this.waiting.isFull) this.#holdOrRead();
  }

  #readHead(bytes: Buffer, offset: number): number {
    const verdict = this.#reader.read(bytes, offset);
    if (verdict === WHOLE) return this.#begin(bytes);
    const rest = offset === 0 ? bytes : bytes.subarray(offset);
    if (verdict === PARTIAL && ++this.#headPieces < MAX_HEAD_PIECES) {
      this.#wait(rest);
      this.#owner.onHeadBegun();
    } else {
      this.#stage = NOWHERE;
      this.#owner.onOdd(rest);
    }
    return bytes.length;
  }

  #begin(bytes: Buffer): number {
    const reader = this.#reader;
    let offset = reader.end;
    this.#headPieces = 0;
    this.body = this.#toBody(reader.bodyLength);
    this.#owner.begin(reader, this.body);
    // First, so that what is at hand of it can leave with the head.
    if (this.#stage === BODY && offset < bytes.length) offset = this.#readBody(bytes, offset);
    this.hasMore = offset < bytes.length;
    this.#owner.serve();
    return offset;
  }

  #toBody(length: number): WireBody | undefined {
    if (length === 0) return undefined;
    this.#stage = BODY;
    this.#isBodyWanted = true;
    if (length !== CHUNKED) {
      this.#left = length;
      return new WireBody(this, length);
    }
    this.#chunks ??= new ChunkReader(this.#limits);
    this.#chunks.start();
    return new WireBody(this, undefined);
  }

  #readBody(bytes: Buffer, offset: number): number {
    const body = this.body!;
    if (body.length === undefined) return this.#readChunks(bytes, offset, body);
    const end = Math.min(bytes.length, offset + this.#left);
    this.#left -= end - offset;
    const isLast = this.#left === 0;
    // Before it is pushed, which may end the exchange.
    if (isLast) this.#endBody(body);
    body.push(offset === 0 && end === bytes.length ? bytes : bytes.subarray(offset, end));
    if (isLast) body.finish(undefined);
    return end;
  }

  #readChunks(bytes: Buffer, offset: number, body: WireBody): number {
    const chunks = this.#chunks!;
    const end = chunks.read(bytes, offset, body);
    // What it was handed may have ended the connection.
    if (this.#stage === NOWHERE) return bytes.length;
    if (chunks.failure !== undefined) {
      this.#stage = NOWHERE;
      this.#owner.onBroken(chunks.failure);
    } else if (chunks.isDone) {
      this.#endBody(body);
      body.finish(chunks.trailers);
    }
    return end;
  }

  #endBody(body: WireBody): void {
    body.isComplete = true;
    if (this.#stage === NOWHERE) return;
    this.#stage = HEAD;
    this.#holdOrRead();
  }

  /** Reads on, or not, as those want who take what is read. A head is read until it is whole: its own limit ends it. */
  #holdOrRead(): void {
    const isFull = this.waiting.isFull && !this.#owner.isFree;
    const isHeld = this.#stage === BODY ? !this.#isBodyWanted : isFull;
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }
}
