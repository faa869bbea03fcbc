/** An exchange as the request its service is called with. */
import type { BodySource } from '../../mesh/transport/body-source.ts';
import type { Endpoint } from '../../mesh/endpoint.ts';
import type { CallRequest, TryHead } from '../../mesh/service/call.ts';
import type { LoadSet } from '../../mesh/balancing/load-set.ts';
import type { HedgeRules } from '../../mesh/resilience/hedge-policy.ts';
import type { RetryRules } from '../../mesh/resilience/retry-policy.ts';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { ForwardTarget } from '../config/snapshot.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { runTryHooks } from '../pipeline/hooks.ts';
import { hashOf } from './hash-key.ts';
import { toUpstreamHeaders } from './upstream-headers.ts';
import { goesOverHttp2 } from './upstream-protocol.ts';
import { createHandshakeKey, KEY_FIELD } from './websocket-handshake.ts';

export class ForwardCall implements CallRequest {
  readonly method: string;
  readonly subset: LoadSet;
  readonly hash: number | undefined;
  readonly pinned: Endpoint | undefined;
  readonly body: BodySource | undefined;
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
  readonly http2: boolean;
  readonly retry: RetryRules;
  readonly hedge: HedgeRules | undefined;
  readonly perTryTimeoutMs: number;
  readonly timeoutMs: number;
  /** Set where the gateway makes the WebSocket handshake for its client, and must check the answer. */
  readonly handshakeKey: string | undefined;
  readonly #exchange: GatewayExchange;
  readonly #target: ForwardTarget;
  /** Path, rewritten where the target says so, and query; the same for every try. */
  readonly requestTarget: string;
  readonly authority: string;

  /** `pinned`: where the caller's session is. */
  constructor(exchange: GatewayExchange, target: ForwardTarget, pinned: Endpoint | undefined) {
    const { request, intake } = exchange;
    this.#exchange = exchange;
    this.#target = target;
    this.method = request.method;
    this.subset = target.subset;
    this.hash = target.hashOn === undefined ? undefined : hashOf(exchange, target.hashOn);
    this.pinned = pinned;
    this.body = request.body;
    this.upgrade = intake.upgrade;
    this.expectContinue = intake.expectContinue;
    this.http2 = goesOverHttp2(target.service, exchange);
    this.retry = target.retry;
    this.hedge = target.service.hedge;
    this.perTryTimeoutMs = target.perTryTimeoutMs;
    this.timeoutMs = exchange.compiledRoute!.timeoutMs;
    this.handshakeKey =
      intake.upgrade !== undefined && intake.connection.protocol === 'h2' && !this.http2
        ? createHandshakeKey()
        : undefined;
    this.authority = target.rewriteHost ?? request.authority;
    const { rewritePath } = target;
    const path =
      rewritePath === undefined ? request.path : rewritePath(request.path, exchange.matchedPrefix);
    this.requestTarget = request.query === '' ? path : path + request.query;
  }

  toTry(endpoint: Endpoint, attempt: number): TryHead | Promise<TryHead> {
    const exchange = this.#exchange;
    const target = this.#target;
    const headers = toUpstreamHeaders(exchange, this.http2);
    if (this.handshakeKey !== undefined) headers.set(KEY_FIELD, this.handshakeKey);
    const { onUpstreamRequest } = target.hooks;
    if (onUpstreamRequest.length === 0) return this.#toHead(headers);
    const pending = runTryHooks(
      exchange,
      { attempt, service: target.service.name, endpoint: endpoint.id, headers },
      onUpstreamRequest,
    );
    return pending === undefined
      ? this.#toHead(headers)
      : pending.then(() => this.#toHead(headers));
  }

  #toHead({ rest, text }: HeaderFields): TryHead {
    return { target: this.requestTarget, authority: this.authority, headers: rest, text };
  }
}
