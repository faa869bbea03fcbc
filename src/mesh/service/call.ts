/** One logical request to a service: tries on one endpoint after the other, or beside it, until one answers or none may. */
import type { Duplex } from 'node:stream';
import { MeshgateError } from '../../errors.ts';
import type { Endpoint } from '../endpoint.ts';
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import type { LoadSet } from '../balancing/load-set.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import type { RetryRules } from '../resilience/retry-policy.ts';
import type { BodySource } from '../transport/body-source.ts';

/** What is asked of a service, whichever endpoint answers. */
export interface CallRequest {
  readonly method: string;
  /** The endpoints that may be chosen. */
  readonly subset: LoadSet;
  /** Of the key that the balancer may go by; see `PickHint`. */
  readonly hash?: number | undefined;
  /** The endpoint of the caller's session; see `PickHint`. */
  readonly pinned?: Endpoint | undefined;
  readonly body: BodySource | undefined;
  /** Token for the Upgrade field; such a call becomes a tunnel and is never tried twice once sent. */
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
  /** Goes over HTTP/2 where the service speaks both; default false. */
  readonly http2?: boolean;
  readonly retry: RetryRules;
  /** Undefined: tries are made one after the other only. */
  readonly hedge?: HedgeRules | undefined;
  /** Over a whole try, in milliseconds; 0 is none. */
  readonly perTryTimeoutMs: number;
  /** For the whole call with all its tries and the answer's body, in milliseconds; 0 is none. */
  readonly timeoutMs: number;
  /** In place of the service's own. */
  readonly timeouts?: TryTimeouts | undefined;
  /** What one try sends. Throwing or rejecting ends the call with that error. */
  toTry(endpoint: Endpoint, attempt: number): TryHead | Promise<TryHead>;
}

/** What bounds each try; see `UpstreamRequest`. Milliseconds; 0 is none. */
export interface TryTimeouts {
  readonly responseMs: number;
  readonly idleMs: number;
}

/** The head of one try; see `UpstreamRequest` for what the fields may hold. */
export interface TryHead {
  readonly target: string;
  readonly authority: string;
  readonly headers: readonly string[];
  readonly text?: string | undefined;
}

/** Hears the one answer of a call. None of the calls follows `onEnd`, `onUpgrade` or `onError`. */
export interface CallSink {
  /** `attempt` counts from 1; `sentAtMs` is on the monotonic clock. */
  onTry(endpoint: Endpoint, attempt: number, sentAtMs: number): void;
  /**
   * Of tries under way at once, this one gives the answer or the failure that follows; told
   * where it is not the one of the last `onTry`. `sentAtMs` as there.
   */
  onSettled?(endpoint: Endpoint, sentAtMs: number): void;
  onInformational(status: number, headers: string[]): void;
  onHead(status: number, reason: string, headers: HeaderFields): void;
  /** As that of `UpstreamSink`. */
  onData(chunk: Uint8Array): void;
  onEnd(trailers: string[] | undefined): void;
  onUpgrade(status: number, reason: string, headers: string[], socket: Duplex): void;
  /** A `MeshgateError`, an `UpstreamError`, or what `toTry` threw. */
  onError(error: Error): void;
}

/** A call in flight. */
export interface Call {
  pause(): void;
  resume(): void;
  /** Gives up; the sink hears no more. */
  abort(): void;
}

export function noHealthyEndpoint(service: string): MeshgateError {
  return new MeshgateError('no_healthy_endpoint', {
    status: 503,
    detail: 'No endpoint of the service can take the request.',
    cause: new Error(`no endpoint of ${service} can be chosen`),
  });
}

export function circuitOpen(service: string): MeshgateError {
  return new MeshgateError('circuit_open', {
    status: 503,
    detail: 'The service has as many requests in flight as it may.',
    cause: new Error(`circuitBreaker.maxRequests of ${service} reached`),
  });
}
