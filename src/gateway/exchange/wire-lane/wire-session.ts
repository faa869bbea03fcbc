/** One connection of the wire lane: its requests in order, their answers, and how it goes on or ends. */
import type { Socket } from 'node:net';
import type { MeshgateError } from '../../../errors.ts';
import { keep } from '../../../mesh/transport/read-memory.ts';
import { SocketReads } from '../../../mesh/transport/socket-reads.ts';
import { bodyTooSlow } from '../body-pace.ts';
import type { Connection } from '../connection.ts';
import { LaneConnection, type ConnectionOrigin } from '../lane-connection.ts';
import { lingerClose } from '../http1-linger.ts';
import { watchHalfClosed } from '../http1-presence.ts';
import { HEAD_LATE, toHttp1Bytes, toHttp1Refusal } from '../http1-refusal.ts';
import { clientGone } from '../request-refusals.ts';
import type { HeadEnd } from './wire-answer-head.ts';
import type { WireBody } from './wire-body.ts';
import { WireDeadlines } from './wire-deadlines.ts';
import { toIntake, WireExchange, type WireConnection } from './wire-exchange.ts';
import type { HeadReader } from './wire-head.ts';
import { WireInput, type WireInputOwner } from './wire-input.ts';
import { WireOutput, type WireOutputOwner } from './wire-output.ts';
import type { WireSurroundings } from './wire-surroundings.ts';

export class WireSession implements WireConnection, WireInputOwner, WireOutputOwner {
  readonly socket: Socket;
  readonly output: WireOutput;
  /** The last answer that is due says `Connection: close`. */
  isDraining = false;
  /** No further request of this connection is served. */
  isClosing = false;
  readonly #connection: Connection;
  readonly #input: WireInput;
  #reads: SocketReads | undefined = undefined;
  readonly #deadlines: WireDeadlines;
  readonly #shared: WireSurroundings;
  readonly #origin: ConnectionOrigin;
  #exchange: WireExchange | undefined = undefined;
  #requests = 0;
  /** The client may still be sending when the connection is closed. */
  #lingers = false;
  /** The newest request said `Connection: close`. */
  #isLastAsked = false;
  /** The client has ended its side while requests of it waited. */
  #isClientDone = false;

  constructor(socket: Socket, origin: ConnectionOrigin, shared: WireSurroundings) {
    this.socket = socket;
    this.output = new WireOutput(socket, this);
    this.#connection = new LaneConnection(shared.view, origin, 'http/1.1');
    this.#input = new WireInput(socket, this, shared.reader, shared.limits);
    this.#deadlines = new WireDeadlines(socket, shared.limits, shared.clock.monotonic());
    this.#shared = shared;
    this.#origin = origin;
  }

  start(): void {
    const { socket } = this;
    this.#shared.sessions.add(this);
    this.#reads = new SocketReads(socket, this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('timeout', this.#onTimeout);
    socket.on('close', this.#onClose);
  }

  /** Milliseconds without an answer due and without a byte of a next request; -1: not idle. */
  idleFor(nowMs: number): number {
    return this.#exchange === undefined ? this.#deadlines.idleFor(nowMs) : -1;
  }

  /** From time to time: what has taken too long. */
  sweep(nowMs: number): void {
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      if (exchange.isHeldUp) this.#deadlines.watch();
      return;
    }
    // One that is closing has its own end set.
    const late = this.isClosing ? undefined : this.#deadlines.findLate(nowMs);
    if (late === 'head') this.#refuseLate();
    else if (late === 'request') this.socket.destroy();
  }

  /** Once a second. */
  checkPace(): void {
    const { minBodyRate } = this.#shared.limits;
    const { body } = this.#input;
    if (minBodyRate === 0 || body === undefined || body.keepsPace(minBodyRate)) return;
    this.#closeWhenAnswered();
    body.fail(bodyTooSlow());
  }

  get isFree(): boolean {
    return this.#exchange === undefined && !this.isClosing;
  }

  get isAnswerBegun(): boolean {
    return this.#exchange?.isUnanswered !== true;
  }

  begin(head: HeadReader, body: WireBody | undefined): void {
    const most = this.#shared.limits.maxRequestsPerConnection;
    this.#deadlines.headRead();
    this.output.mark();
    this.#isLastAsked = head.asksToClose;
    this.#requests++;
    this.isClosing = head.asksToClose || (most > 0 && this.#requests >= most);
    this.#exchange = new WireExchange(this, toIntake(this.#connection, head, body));
  }

  serve(): void {
    const exchange = this.#exchange!;
    this.#shared.door.serve(exchange.intake, exchange);
  }

  onHeadBegun(): void {
    this.#deadlines.headBegun(this.#shared.clock.monotonic());
  }

  onBroken(refusal: MeshgateError): void {
    this.#closeWhenAnswered();
    this.#input.body!.fail(refusal);
    if (this.#exchange === undefined) this.#close();
  }

  onOdd(rest: Buffer): void {
    const { socket } = this;
    this.#shared.sessions.delete(this);
    this.output.flush();
    this.#deadlines.unwatch();
    this.#reads!.end();
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('timeout', this.#onTimeout);
    socket.off('close', this.#onClose);
    if (this.#isClientDone) {
      // Nothing can be put back into it.
      socket.destroy();
      return;
    }
    // Neither flowing nor paused, like one that nobody has listened to yet.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    socket.unshift(keep(rest));
    this.#shared.handOver(socket, this.#origin, this.#requests);
  }

  settleHead(): HeadEnd {
    const { headEnds } = this.#shared;
    return this.#closesAfterThis() ? headEnds.close : headEnds.keep;
  }

  #closesAfterThis(): boolean {
    if (this.isClosing) return true;
    const { body, hasMore, waiting } = this.#input;
    const isUnread = body !== undefined && !body.isComplete && !body.isFlowing;
    if (isUnread && !body.keepsConnection) {
      this.#closeWhenAnswered();
    } else if (this.isDraining && !hasMore && !waiting.hasRequest(this.#shared.reader)) {
      // Where others of a pipeline are behind it, they would be lost.
      this.isClosing = true;
    }
    return this.isClosing;
  }

  settleEnd(): void {
    if (this.#input.body?.keepsConnection === false && !this.isClosing) this.#closeWhenAnswered();
  }

  leave(): void {
    const { output } = this;
    if (this.#input.hasMore && !this.isClosing && output.isLight) {
      // It leaves with the answers behind it.
      output.flushSoon();
      this.#exchange!.finished();
    } else {
      output.leave();
    }
  }

  onTurnEnding(): void {
    this.#exchange?.writeHead();
  }

  onLeft(): void {
    this.#deadlines.unwatch();
    this.#exchange!.finished();
  }

  answered(): void {
    const input = this.#input;
    this.#exchange = undefined;
    if (this.isClosing || (this.#isClientDone && input.waiting.isEmpty && !input.hasMore)) {
      this.#close();
      return;
    }
    // A rest that nobody reads would hold up the next request.
    if (input.body?.isComplete === false) input.body.discard();
    if (input.isReading) return;
    if (!input.waiting.isEmpty) input.proceed();
  }

  cut(): void {
    this.isClosing = true;
    this.#input.stop();
    this.output.dropFromMark();
    this.output.flush();
    this.socket.destroy();
  }

  #close(): void {
    const input = this.#input;
    this.isClosing = true;
    this.output.flush();
    if (this.#lingers || input.isAmidBody) lingerClose(this.socket);
    else this.socket.destroySoon();
    input.stop();
  }

  /** Ends the connection after the answer that is due, although its head may have promised more. */
  #closeWhenAnswered(): void {
    this.isClosing = true;
    this.#lingers = true;
  }

  #refuseLate(): void {
    const { door, clock, limits } = this.#shared;
    const refusal = toHttp1Refusal({ code: HEAD_LATE, message: '' }, limits);
    const hasAsked = !this.#input.waiting.isEmpty;
    this.isClosing = true;
    this.#input.stop();
    // A connection that never asked gets no answer.
    if (!hasAsked || refusal === undefined) {
      this.socket.destroy();
      return;
    }
    this.socket.write(toHttp1Bytes(door.refuse(this.#connection, refusal), clock.now()));
    lingerClose(this.socket);
  }

  readonly #onData = (chunk: Buffer): void => this.#input.push(chunk);

  readonly #onDrain = (): void => {
    this.#deadlines.unwatch();
    this.#exchange?.drained();
  };

  readonly #onTimeout = (): void => void this.socket.destroy();

  /**
   * The client has ended its side. One that had said that it asks for no more waits for its
   * answers; any other has left, as most do that close a connection. So has one that ends in the
   * middle of an answer: it had all the time before, and a stream that pauses would not find out.
   */
  readonly #onEnd = (): void => {
    const { socket } = this;
    const input = this.#input;
    const exchange = this.#exchange;
    if (socket.destroyed) return;
    if (input.isAmidBody) {
      socket.destroy();
      input.body!.fail(clientGone());
    } else if (exchange === undefined) {
      if (input.waiting.isEmpty) socket.end();
      else socket.destroy();
    } else if (exchange.isUnanswered ? this.#isAllAsked() : this.#isServed()) {
      if (input.waiting.isEmpty) this.isClosing = true;
      else this.#isClientDone = true;
      watchHalfClosed(socket, () => this.#exchange?.isUnanswered === true);
    } else {
      socket.destroy();
    }
  };

  #isServed(): boolean {
    return this.#exchange!.isEnded && this.#input.waiting.isEmpty;
  }

  #isAllAsked(): boolean {
    const { waiting } = this.#input;
    return waiting.isEmpty ? this.#isLastAsked : waiting.endsAsking(this.#shared.reader);
  }

  readonly #onClose = (): void => {
    const exchange = this.#exchange;
    const { body } = this.#input;
    this.#shared.sessions.delete(this);
    this.isClosing = true;
    this.#exchange = undefined;
    this.#input.stop();
    exchange?.clientGone();
    if (body?.isComplete === false) body.fail(clientGone());
  };
}
