/** The answer on its way down: head through the hooks, body with back-pressure, trailers, tunnels, failures. */
import type { Duplex } from 'node:stream';
import type { Call, CallSink } from '../../mesh/service/call.ts';
import type { Endpoint } from '../../mesh/endpoint.ts';
import { keep } from '../../mesh/transport/read-memory.ts';
import { codeOf, reasonOf } from '../rescue/rescue.ts';
import type { ForwardTarget } from '../config/snapshot.ts';
import type { DownstreamObserver } from '../exchange/lane.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { tellTiming } from '../observe/server-timing.ts';
import { runAnswerHooks } from '../pipeline/hooks.ts';
import { pluginFailed } from '../pipeline/plugin-failed.ts';
import { takeAnswerFields, toPassedFields } from './answer-fields.ts';
import { giveSession } from './sticky-cookie.ts';
import { TransformedAnswer } from './transformed-answer.ts';
import { findForeignHandshake } from './websocket-handshake.ts';

export interface RelayEnvironment {
  readonly monotonic: () => number;
  /** Words and sends a failure while no head has gone out. */
  readonly fail: (exchange: GatewayExchange, cause: unknown) => void;
  /** Joins the client and the upstream once a handshake has been accepted. */
  readonly tunnel: (exchange: GatewayExchange, client: Duplex, upstream: Duplex) => void;
}

export class ResponseRelay implements CallSink, DownstreamObserver {
  call: Call | undefined;
  /** The Sec-WebSocket-Key that the gateway has made, which nobody else can check the answer to. */
  handshakeKey: string | undefined;
  readonly #exchange: GatewayExchange;
  readonly #environment: RelayEnvironment;
  /** Answer events that came while a hook was still thinking about the head. */
  #held: (() => void)[] | undefined;
  #transformed: TransformedAnswer | undefined;
  /** Of the try at work. */
  #endpoint: Endpoint | undefined;
  /** What the caller's cookie names. */
  readonly #pinned: Endpoint | undefined;

  constructor(
    exchange: GatewayExchange,
    environment: RelayEnvironment,
    pinned: Endpoint | undefined,
  ) {
    this.#exchange = exchange;
    this.#environment = environment;
    this.#pinned = pinned;
  }

  onTry(endpoint: Endpoint, attempt: number, sentAtMs: number): void {
    this.#endpoint = endpoint;
    const { upstream } = this.#exchange;
    upstream.endpoint = endpoint.id;
    upstream.attempts = attempt;
    upstream.sentAt = sentAtMs;
    if (attempt === 1) upstream.firstSentAt = sentAtMs;
  }

  onSettled(endpoint: Endpoint, sentAtMs: number): void {
    this.#endpoint = endpoint;
    const { upstream } = this.#exchange;
    upstream.endpoint = endpoint.id;
    upstream.sentAt = sentAtMs;
  }

  onInformational(status: number, headers: string[]): void {
    // The lane has sent its own 100 when the body started to be read.
    if (status === 100) return;
    this.#exchange.downstream.informational(status, toPassedFields(headers));
  }

  onHead(status: number, reason: string, headers: HeaderFields): void {
    this.#exchange.upstream.headAt = this.#environment.monotonic();
    const length = takeAnswerFields(headers);
    this.#takeHead(status, reason, headers);
    this.#afterHooks(() => this.#sendHead(length));
  }

  onData(chunk: Uint8Array): void {
    if (this.#held !== undefined) {
      const kept = keep(chunk);
      this.#held.push(() => this.onData(kept));
      return;
    }
    const flowing =
      this.#transformed?.write(keep(chunk)) ?? this.#exchange.downstream.write(chunk, true);
    if (!flowing) this.call?.pause();
  }

  onEnd(trailers: string[] | undefined): void {
    if (this.#held !== undefined) this.#held.push(() => this.onEnd(trailers));
    else if (this.#transformed !== undefined) this.#transformed.end();
    else this.#exchange.downstream.end(trailers && toPassedFields(trailers));
  }

  onUpgrade(status: number, reason: string, headers: string[], upstream: Duplex): void {
    const exchange = this.#exchange;
    exchange.upstream.headAt = this.#environment.monotonic();
    const foreign =
      this.handshakeKey === undefined
        ? undefined
        : findForeignHandshake(headers, this.handshakeKey);
    if (foreign !== undefined) {
      upstream.destroy();
      this.#environment.fail(exchange, foreign);
      return;
    }
    this.#takeHead(status, reason, new HeaderFields(toPassedFields(headers)));
    this.#afterHooks(
      () => {
        exchange.headSent = true;
        tellTiming(exchange, this.#environment.monotonic);
        const client = exchange.downstream.upgrade(status, reason, exchange.response.headers.raw);
        this.#environment.tunnel(exchange, client, upstream);
      },
      () => upstream.destroy(),
    );
  }

  onError(error: unknown): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.onError(error));
      return;
    }
    const exchange = this.#exchange;
    // What turns out wrong in the turn that brought its head can still be answered.
    if (exchange.headSent && exchange.downstream.retract()) {
      exchange.headSent = false;
      this.#transformed?.destroy();
      this.#transformed = undefined;
    }
    if (!exchange.headSent) {
      this.#environment.fail(exchange, error);
      return;
    }
    // The head has gone: all that is left is to make sure the answer cannot pass for complete.
    exchange.outcome.code = codeOf(error);
    exchange.outcome.reason = reasonOf(error);
    exchange.downstream.abort();
  }

  onDrain(): void {
    if (this.#transformed === undefined) this.call?.resume();
    else this.#transformed.resume();
  }

  onClosed(complete: boolean): void {
    if (!complete) {
      this.call?.abort();
      this.#transformed?.destroy();
    }
  }

  /** For the hooks to see. */
  #takeHead(status: number, reason: string, headers: HeaderFields): void {
    const exchange = this.#exchange;
    const { response } = exchange;
    response.source = 'upstream';
    response.status = status;
    response.reason = reason;
    headers.addText(exchange.requestId.line);
    response.headers = headers;
    const { sticky } = exchange.target as ForwardTarget;
    if (sticky !== undefined) giveSession(exchange, sticky, this.#endpoint!, this.#pinned);
  }

  /** Goes on once the hooks have seen the head: at once, where none of them waits. */
  #afterHooks(proceed: () => void, discard?: () => void): void {
    let pending: void | Promise<void>;
    try {
      pending = this.#runHooks();
      // A plugin may have put in what cannot be sent; the connection must not be thrown at.
      if (pending === undefined) proceed();
    } catch (error) {
      this.#refuse(error, discard);
      return;
    }
    if (pending !== undefined) this.#hold(pending, proceed, discard);
  }

  #runHooks(): void | Promise<void> {
    const exchange = this.#exchange;
    const { hooks } = exchange.target!;
    const first = runAnswerHooks(exchange, 'onUpstreamResponse', hooks.onUpstreamResponse);
    return first === undefined
      ? runAnswerHooks(exchange, 'onResponse', hooks.onResponse)
      : first.then(() => runAnswerHooks(exchange, 'onResponse', hooks.onResponse));
  }

  #sendHead(length: number | undefined): void {
    const exchange = this.#exchange;
    if (exchange.ended) return;
    const { response, downstream } = exchange;
    const { transforms } = response;
    if (transforms !== undefined) {
      this.#transformed = new TransformedAnswer(transforms, downstream, {
        onWritable: () => this.call?.resume(),
        onError: (error) => {
          this.call?.abort();
          this.onError(pluginFailed(error));
        },
      });
    }
    exchange.headSent = true;
    tellTiming(exchange, this.#environment.monotonic);
    downstream.head(
      response.status,
      response.reason,
      response.headers,
      transforms === undefined ? length : undefined,
    );
  }

  /** Keeps the answer back until its hooks have settled, then lets what has come follow in order. */
  #hold(pending: Promise<void>, proceed: () => void, discard?: () => void): void {
    const held: (() => void)[] = [];
    this.#held = held;
    this.call?.pause();
    pending
      .then(() => {
        this.#held = undefined;
        if (this.#exchange.ended) {
          discard?.();
          return;
        }
        proceed();
        for (const event of held) event();
        this.call?.resume();
      })
      .catch((error: unknown) => {
        this.#held = undefined;
        this.#refuse(error, discard);
      });
  }

  #refuse(error: unknown, discard?: () => void): void {
    discard?.();
    this.call?.abort();
    this.onError(error);
  }
}
