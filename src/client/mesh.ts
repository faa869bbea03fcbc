/** An application's part in the mesh, as it is used: what it calls, what it registers, and how it leaves. */
import type { Dispatcher } from 'undici';
import type { RegisterOptions } from './mesh-options.ts';
import type { RegisteredInstance } from './registered-instance.ts';

/** What others ask of a Dispatcher by the types of their own version of undici, as reply-from does. */
interface ForeignDispatcher {
  request(options: never, callback: never): void;
  request(options: never): Promise<never>;
}

/**
 * undici's Dispatcher, and that of the runtime's own `fetch` where its types know of one: what
 * `dispatcher:` takes in either, and `undici:` of \@fastify/http-proxy.
 */
export type MeshClientDispatcher = Dispatcher &
  ForeignDispatcher &
  (RequestInit extends { readonly dispatcher?: infer Own } ? NonNullable<Own> : unknown);

export interface Mesh {
  /**
   * For `fetch`, undici's `request` and its kin, `WebSocket`, and whatever else takes an undici
   * Dispatcher: `http://orders.mesh/…` goes to an instance of `orders`. The scheme is `http`
   * always; whether TLS is spoken is the service's `protocol`. A port in the URL means nothing.
   *
   * Endpoint, retries, circuit breaker and timeouts are the service's settings. A call waits for
   * Redis only to hear of a service for the very first time (`discoveryTimeoutMs`).
   *
   * A call fails with (`fetch`: with this as `cause` of its TypeError)
   * - `code: 'no_healthy_endpoint'`, `status: 503`: nobody has registered, or nobody can be called
   * - `code: 'circuit_open'`, `status: 503`: too many calls are in flight
   * - the system's error, such as `ECONNREFUSED`, where no connection could be made
   * - undici's errors, such as `UND_ERR_SOCKET`, `UND_ERR_HEADERS_TIMEOUT`
   *
   * @example
   * const response = await fetch('http://orders.mesh/orders/7', { dispatcher: mesh.dispatcher });
   * @example
   * import { request } from 'undici';
   * const { body } = await request('http://orders.mesh/orders/7', { dispatcher: mesh.dispatcher });
   */
  readonly dispatcher: MeshClientDispatcher;
  /**
   * An undici interceptor: calls to the mesh go to `dispatcher`, all others where they went.
   *
   * @example
   * import { Agent, setGlobalDispatcher } from 'undici';
   * setGlobalDispatcher(new Agent().compose(mesh.interceptor));
   * await fetch('http://orders.mesh/orders/7');
   * await fetch('https://example.com/');
   */
  readonly interceptor: Dispatcher.DispatcherComposeInterceptor;

  /**
   * The origin by which a service is called: `http://orders.mesh`.
   *
   * @throws {MeshClientError} `invalid_option` for what cannot be a service's name.
   */
  origin(service: string): string;

  /**
   * Resolves once calls can be made: Redis is reached and all services of the options have been
   * heard of. Where Redis is down, their last known endpoints in `dataDir` will do. Nobody has to
   * wait for it; it tells at the start what would be met with later.
   *
   * Rejects with a `MeshClientError`: `not_ready` with what is missing, or `closed`.
   *
   * @example
   * await mesh.ready({ services: ['orders'], timeoutMs: 30_000 });
   */
  ready(options?: ReadyOptions): Promise<void>;

  /**
   * Registers an instance of a service, this process or another one beside it, once its health
   * check passes. It gives heartbeats from then on, is drained while the check fails, and is out of
   * the mesh 15 s after this process was killed. Resolves once it is registered: while Redis is
   * down, that is when it is back.
   *
   * Rejects with a `MeshClientError`: `invalid_option`, `superseded`, or `closed`; and with the
   * reason of `signal`.
   *
   * @example
   * const server = createServer(handler).listen(3001);
   * const instance = await mesh.register({ service: 'orders', address: 3001 });
   */
  register(options: RegisterOptions): Promise<RegisteredInstance>;

  /** How it stands with Redis; for a readiness probe or a metric. */
  status(): MeshStatus;

  /**
   * Leaves: drains what was registered (callers get `noticeMs` to hear of it), takes it out, waits
   * for the calls in flight, and closes all connections. The process can end after it, and not
   * before. Called again it does no more. A WebSocket made through `dispatcher` is its owner's to
   * close.
   *
   * An application that serves others calls `instance.drain()`, closes its server, and then this:
   * the requests it is still at may need the mesh.
   */
  close(options?: CloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ReadyOptions {
  /** In milliseconds. Default 10 000. */
  readonly timeoutMs?: number | undefined;
  /** Services that must have an endpoint, too. Default: none has to. */
  readonly services?: readonly string[] | undefined;
}

export interface CloseOptions {
  /** How long callers are given to hear of the drain, in milliseconds. Default 1000. */
  readonly noticeMs?: number | undefined;
  /** How long calls in flight may take; then they fail. In milliseconds. Default 10 000. */
  readonly timeoutMs?: number | undefined;
}

export interface MeshStatus {
  readonly connected: boolean;
  /** Milliseconds since Redis last answered; 0 while it is connected. */
  readonly stalenessMs: number;
  /** Why it is not connected, as far as was heard. */
  readonly reason: string | undefined;
}
