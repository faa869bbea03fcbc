/** The request's way out of an HTTP/1.1 connection: its head at the end of the turn, its body after it. */
import type { Socket } from 'node:net';
import type { CallPhase } from './call-deadline.ts';
import type { Http1Call } from './http1-call.ts';
import { Http1RequestBody } from './http1-request-body.ts';
import type { RequestBodyOwner } from './request-body.ts';
import { SocketWrites } from './socket-writes.ts';
import { atTurnEnd, type TurnEnding } from './turn-end.ts';

export class Http1Sending implements TurnEnding {
  readonly #socket: Socket;
  readonly #writes: SocketWrites;
  readonly #owner: RequestBodyOwner;
  #head: string | undefined;
  #body: Http1RequestBody | undefined;
  /** The body is not sent before the upstream has said that it wants it. */
  awaitsContinue = false;

  constructor(socket: Socket, owner: RequestBodyOwner) {
    this.#socket = socket;
    this.#writes = new SocketWrites(socket);
    this.#owner = owner;
  }

  begin({ head, request }: Http1Call): void {
    if (request.body === undefined) {
      this.#head = head;
      atTurnEnd(this);
      return;
    }
    const socket = this.#socket;
    const body = new Http1RequestBody(this.#owner, socket, request.body);
    this.#body = body;
    this.awaitsContinue = request.expectContinue;
    socket.cork();
    socket.write(head, 'latin1');
    if (!this.awaitsContinue) body.start();
    socket.uncork();
  }

  endTurn(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#writes.write(head);
  }

  startBody(): void {
    this.awaitsContinue = false;
    this.#body!.start();
  }

  onDrain(): void {
    this.#body?.onDrain();
  }

  /** Nothing of the request has been written. */
  get isDue(): boolean {
    return this.#head !== undefined;
  }

  /** All of it has left: an answer before that leaves bytes behind that belong to nobody. */
  get isFlushed(): boolean {
    const body = this.#body;
    return body === undefined || (body.isSent && this.#socket.writableLength === 0);
  }

  /** Of the call, as long as there is no answer. */
  get phase(): CallPhase {
    if (this.awaitsContinue) return 'continue';
    const body = this.#body;
    if (body === undefined || body.isSent) return 'waiting';
    return body.isBlocked ? 'blocked' : 'sending';
  }

  /** Sends no more of it. */
  stop(): void {
    const body = this.#body;
    this.#head = undefined;
    this.#body = undefined;
    this.awaitsContinue = false;
    body?.cancel();
  }
}
