/** One try of a call: a request to one endpoint, its time and its outcome, from its head to the answer's end. */
import type { Duplex } from 'node:stream';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { Endpoint } from '../endpoint.ts';
import type { BodySource } from '../transport/body-source.ts';
import type { UpstreamError } from '../transport/upstream-error.ts';
import type { UpstreamCall, UpstreamSink } from '../transport/upstream.ts';
import { startTimeout, tryTookTooLong, type Timed } from './call-clock.ts';
import type { CallRequest, CallSink, TryHead } from './call.ts';
import type { Service } from './service.ts';

/** What calls and their tries need of a service. */
export type CallService = Pick<
  Service,
  | 'name'
  | 'isStopped'
  | 'breaker'
  | 'budget'
  | 'environment'
  | 'outcomes'
  | 'timeouts'
  | 'send'
  | 'ended'
  | 'release'
>;

/** The call that a try is made for: it decides what becomes of what the try hears. */
export interface TryOwner {
  readonly service: CallService;
  readonly request: CallRequest;
  /** Takes the body of the one answer, straight from the try that has it. */
  readonly sink: CallSink;
  /** The reader wants no more for now. */
  readonly isPaused: boolean;
  /** A try was lost to the keep-alive race. */
  readonly isRaced: boolean;
  openBody(): BodySource | undefined;
  /** The transport has it. */
  onTrySent(one: Try): void;
  onTryInformational(one: Try, status: number, headers: string[]): void;
  onTryHead(one: Try, status: number, reason: string, headers: HeaderFields): void;
  onTryEnd(trailers: string[] | undefined): void;
  onTryUpgrade(one: Try, status: number, reason: string, headers: string[], socket: Duplex): void;
  onTryError(one: Try, error: UpstreamError): void;
  /** Its head could not be made. */
  onTryUnmade(one: Try, error: Error): void;
}

/** Counts as a request of its endpoint from the moment it is made until `end`, `cancel` or its tunnel's close. */
export class Try implements UpstreamSink, Timed {
  readonly endpoint: Endpoint;
  /** As `TryOutcomes` counts. */
  sentAtMs: number;
  /** Its answer is a failure, as `TryOutcomes` judges. */
  hasFailed = false;
  readonly #owner: TryOwner;
  #call: UpstreamCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** It is on a connection. */
  #isSent = false;
  #isAnswered = false;
  #isOver = false;

  constructor(owner: TryOwner, endpoint: Endpoint) {
    this.#owner = owner;
    this.endpoint = endpoint;
    this.sentAtMs = owner.service.outcomes.start();
    endpoint.active++;
  }

  start(attempt: number): void {
    const { request } = this.#owner;
    let head: TryHead | Promise<TryHead>;
    try {
      head = request.toTry(this.endpoint, attempt);
    } catch (error) {
      this.#owner.onTryUnmade(this, error as Error);
      return;
    }
    if (head instanceof Promise) this.#sendLater(head);
    else this.#send(head);
  }

  pause(): void {
    this.#call?.pause();
  }

  resume(): void {
    this.#call?.resume();
  }

  /** Nothing more will be heard of it. */
  end(): void {
    if (this.#isOver) return;
    this.#leave();
    this.endpoint.active--;
  }

  /** Ends it wherever it is: its connection is closed, or its stream reset. */
  cancel(): void {
    this.#call?.abort();
    this.end();
  }

  /** Cancels it through no fault of its endpoint. */
  abandon(): void {
    if (this.#call !== undefined && !this.#isAnswered) {
      this.#owner.service.outcomes.abandoned(this.endpoint, this.sentAtMs);
    }
    this.cancel();
  }

  /** Cancels it for being too late, if it has begun at all. */
  blame(): void {
    if (this.#isSent && !this.#isAnswered) {
      this.#owner.service.outcomes.failed(this.endpoint, 'timeout', this.sentAtMs);
    }
    this.cancel();
  }

  expire(): void {
    this.#call?.abort();
    this.#owner.onTryError(this, tryTookTooLong(this.#isSent, this.#isAnswered));
  }

  onSent(): void {
    this.#isSent = true;
  }

  onInformational(status: number, headers: string[]): void {
    this.#owner.onTryInformational(this, status, headers);
  }

  onHead(status: number, reason: string, headers: HeaderFields): void {
    this.#isAnswered = true;
    const { outcomes } = this.#owner.service;
    this.hasFailed = outcomes.answered(this.endpoint, this.sentAtMs, status, headers);
    this.#owner.onTryHead(this, status, reason, headers);
  }

  onData(chunk: Uint8Array): void {
    this.#owner.sink.onData(chunk);
  }

  onEnd(trailers: string[] | undefined): void {
    this.#owner.onTryEnd(trailers);
  }

  onUpgrade(status: number, reason: string, headers: string[], socket: Duplex): void {
    const { service } = this.#owner;
    service.outcomes.answered(this.endpoint, this.sentAtMs, status, new HeaderFields(headers));
    // The tunnel is this request in flight, for as long as it lives.
    this.#leave();
    socket.once('close', () => {
      this.endpoint.active--;
      service.release();
    });
    this.#owner.onTryUpgrade(this, status, reason, headers, socket);
  }

  onError(error: UpstreamError): void {
    this.#owner.onTryError(this, error);
  }

  #leave(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #sendLater(pending: Promise<TryHead>): void {
    pending.then(
      (head) => {
        this.sentAtMs = this.#owner.service.outcomes.start();
        this.#send(head);
      },
      (error: Error) => {
        if (!this.#isOver) this.#owner.onTryUnmade(this, error);
      },
    );
  }

  #send({ target, authority, headers, text }: TryHead): void {
    // Whoever made the head may have given the call up.
    if (this.#isOver) return;
    const owner = this.#owner;
    const { service, request } = owner;
    const timeouts = request.timeouts ?? service.timeouts;
    this.#timer = startTimeout(this, request.perTryTimeoutMs);
    const call = service.send(
      this.endpoint,
      {
        method: request.method,
        target,
        authority,
        headers,
        text,
        body: owner.openBody(),
        upgrade: request.upgrade,
        expectContinue: request.expectContinue,
        responseTimeoutMs: timeouts.responseMs,
        idleTimeoutMs: timeouts.idleMs,
        fresh: owner.isRaced,
      },
      this,
      request.http2,
    );
    // The client's body may have been read meanwhile, and its reader have given the call up.
    if (this.#isOver) {
      call.abort();
      return;
    }
    this.#call = call;
    if (owner.isPaused) call.pause();
    owner.onTrySent(this);
  }
}
