/** The mesh for any client that takes an undici Dispatcher: `http://orders.mesh/…` goes to the service `orders`. */
import { Dispatcher, errors } from 'undici';
import type { LoadSet } from '../balancing/load-set.ts';
import { parseMeshOrigin, UnknownServiceError } from './dispatch-origin.ts';
import { DispatchRequest } from './dispatch-request.ts';
import { DispatchSink, type DispatchOwner } from './dispatch-sink.ts';
import { toPresentHandler } from './legacy-handler.ts';
import type { Service } from './service.ts';

export interface MeshDispatcherOptions {
  /** Asked for each call, with the name in lower case. */
  readonly resolve: (serviceName: string) => Service | undefined;
  /** What follows the service's name in a host name; default `.mesh`. */
  readonly suffix?: string | undefined;
  /** A call waits for the promise; what is thrown, or rejected with, is what it fails with. Default: none waits. */
  readonly admit?: ((service: Service) => Promise<void> | undefined) | undefined;
  /** The header field, in lower case, by whose value a hashing policy chooses. Default: none. */
  readonly hashHeaderOf?: ((service: Service) => string | undefined) | undefined;
}

const EVERY_ENDPOINT = {};

/**
 * Works with undici's `request`, `fetch`, `stream`, `upgrade` and `WebSocket`, with the runtime's
 * own `fetch` and `WebSocket`, and with whatever else takes a Dispatcher, such as
 * \@fastify/http-proxy (`undici: dispatcher`; its own retries are better off:
 * `replyOptions: { retryDelay: () => null }`).
 *
 * Endpoint, protocol, retries, budget, circuit breaker and timeouts are the service's. Of the
 * options of a call, `headersTimeout` stands in place of the service's response timeout, to be met
 * by each try, and `bodyTimeout` in place of its idle timeout, which holds for a body in either
 * direction; both in milliseconds, 0 is none. `idempotent`, `blocking`, `reset` and
 * `typeOfService` speak of connections that callers do not have here, and mean nothing.
 * Fields of one connection (Connection, Transfer-Encoding, Expect …) are left out, Host becomes
 * the authority. `onBodySent` and `onRequestSent` are not told: a body may be sent more than once.
 *
 * Errors come by `onResponseError`; see `toDispatchError`, and UnknownServiceError (`ENOTFOUND`)
 * for a service that `resolve` does not know.
 *
 * @example
 * const dispatcher = new MeshDispatcher({ resolve: (name) => services.get(name) });
 * const { body } = await request('http://orders.mesh/orders/7', { dispatcher });
 */
export class MeshDispatcher extends Dispatcher implements DispatchOwner {
  readonly #resolve: (serviceName: string) => Service | undefined;
  readonly #suffix: string;
  readonly #admit: MeshDispatcherOptions['admit'];
  readonly #hashHeaderOf: MeshDispatcherOptions['hashHeaderOf'];
  readonly #subsets = new WeakMap<Service, LoadSet>();
  readonly #calls = new Set<DispatchSink>();
  #isClosed = false;
  #isDestroyed = false;
  readonly #drained = Promise.withResolvers<void>();

  constructor({ resolve, suffix = '.mesh', admit, hashHeaderOf }: MeshDispatcherOptions) {
    super();
    this.#resolve = resolve;
    this.#suffix = suffix;
    this.#admit = admit;
    this.#hashHeaderOf = hashHeaderOf;
  }

  /** Takes no new calls. */
  get closed(): boolean {
    return this.#isClosed;
  }

  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Always true: a call that cannot be taken fails, and there is no 'drain' to wait for. */
  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (typeof handler !== 'object' || handler === null) {
      throw new errors.InvalidArgumentError('handler must be an object');
    }
    const present = toPresentHandler(handler);
    if (typeof present.onResponseError !== 'function') {
      throw new errors.InvalidArgumentError('invalid onResponseError method');
    }
    const sink = new DispatchSink(present, this);
    this.#calls.add(sink);
    let service: Service;
    let request: DispatchRequest;
    let admitted: Promise<void> | undefined;
    try {
      this.#assertOpen();
      const origin = parseMeshOrigin(options.origin, this.#suffix);
      service = this.#serviceOf(origin.service);
      if (Boolean(options.upgrade) && typeof present.onRequestUpgrade !== 'function') {
        throw new errors.InvalidArgumentError('invalid onRequestUpgrade method');
      }
      admitted = this.#admit?.(service);
      request = new DispatchRequest(options, service, this.#subsetOf(service), {
        authority: origin.authority,
        hashHeader: this.#hashHeaderOf?.(service),
      });
    } catch (error) {
      // Nobody waits for it, so nobody would hear it be refused.
      admitted?.catch(() => undefined);
      sink.fail(error as Error);
      return true;
    }
    sink.start(service, request, admitted);
    return true;
  }

  /**
   * Takes no new calls and waits for its own to end; the services go on. What became a tunnel is
   * its owner's and no call any more.
   */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | void {
    this.#isClosed = true;
    this.#settle();
    return toCallback(this.#drained.promise, callback);
  }

  /** As `close`, and its calls fail with `error`; default ClientDestroyedError. */
  override destroy(): Promise<void>;
  override destroy(error: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(
    errorOrCallback?: Error | null | (() => void),
    callback?: () => void,
  ): Promise<void> | void {
    const error = typeof errorOrCallback === 'function' ? undefined : errorOrCallback;
    this.#isClosed = this.#isDestroyed = true;
    for (const call of this.#calls) call.abort(error ?? new errors.ClientDestroyedError());
    this.#settle();
    return toCallback(
      this.#drained.promise,
      typeof errorOrCallback === 'function' ? errorOrCallback : callback,
    );
  }

  onOver(sink: DispatchSink): void {
    this.#calls.delete(sink);
    if (this.#isClosed) this.#settle();
  }

  #assertOpen(): void {
    if (this.#isDestroyed) throw new errors.ClientDestroyedError();
    if (this.#isClosed) throw new errors.ClientClosedError();
  }

  #serviceOf(name: string): Service {
    const service = this.#resolve(name);
    if (service === undefined) throw new UnknownServiceError(name, name + this.#suffix);
    return service;
  }

  #subsetOf(service: Service): LoadSet {
    let subset = this.#subsets.get(service);
    if (subset === undefined) {
      subset = service.subset(EVERY_ENDPOINT);
      this.#subsets.set(service, subset);
    }
    return subset;
  }

  #settle(): void {
    if (this.#calls.size === 0) this.#drained.resolve();
  }
}

function toCallback(
  settled: Promise<void>,
  callback: (() => void) | undefined,
): Promise<void> | void {
  if (callback === undefined) return settled;
  void callAfter(settled, callback);
}

async function callAfter(settled: Promise<void>, callback: () => void): Promise<void> {
  await settled;
  callback();
}
