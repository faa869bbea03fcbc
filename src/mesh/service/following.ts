/** The port of a service that follows: another process says which endpoints it has and how well they are, and hears of its tries. */
import type { Endpoint } from '../endpoint.ts';

/** Hears what each try came to, where the endpoint is to answer for it. Called on every try. */
export interface TryListener {
  /** An answer's head came, with this status or, of gRPC, one as bad. */
  onAnswer(endpoint: Endpoint, status: number): void;
  /** A try got no answer, or not all of it, and the endpoint is to blame. */
  onFailure(endpoint: Endpoint): void;
}

/** Stands in a service for its discovery, its checks and its outlier detection. */
export interface Following {
  readonly tries: TryListener;
  /** Begins to tell the service; to be called once until `stop`. */
  start(service: FollowingService): void;
  /** The service hears no more, and is not heard any more. */
  stop(): void;
}

/** What a service lets do with it. */
export interface FollowingService {
  /** The endpoints from now on, their states in them; `removed` are those that were in the list. */
  use(endpoints: readonly Endpoint[], removed: readonly Endpoint[]): void;
  /** After a change of an endpoint's weight, draining, healthy or ejected. */
  reweigh(): void;
  /** Calls are under way. */
  isBusy(): boolean;
}
