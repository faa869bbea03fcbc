/** What supervisor and worker say to each other of services: endpoints one way, what became of tries the other. */
import type { Endpoint, EndpointSpec } from '../../../mesh/endpoint.ts';

/** What may change of an endpoint while it stays the same one. */
export interface EndpointState extends Pick<
  Endpoint,
  'weight' | 'factor' | 'draining' | 'healthy' | 'ejected' | 'ejectedByQuorum' | 'gone'
> {
  /** Milliseconds since `wellSinceMs`: the processes' clocks begin each at its own zero. */
  readonly wellForMs: number;
  /** As in `EndpointObservations`. */
  readonly usualAnswerMs: number;
}

/** `ref` is another one with each endpoint that the supervisor ever had, ids are not. */
export interface ToldEndpoint {
  readonly ref: number;
  readonly spec: EndpointSpec;
  readonly state: EndpointState;
}

export interface AddedEndpoint extends ToldEndpoint {
  /** Its place in the new list. */
  readonly at: number;
}

export interface ChangedEndpoint {
  readonly ref: number;
  /** Left out where it stays. */
  readonly spec?: EndpointSpec;
  readonly state: EndpointState;
}

export interface EndpointChanges {
  readonly removed: readonly number[];
  /** By their place, lowest first. */
  readonly added: readonly AddedEndpoint[];
  /** Of the whole new list, where those that stay changed their order. */
  readonly order?: readonly number[];
  readonly changed: readonly ChangedEndpoint[];
}

/** `id` is the worker's number for a service that it follows. */
export type ToFollower =
  | { readonly kind: 'endpoints'; readonly id: number; readonly endpoints: readonly ToldEndpoint[] }
  /** The service is there, and its discovery has not spoken yet. */
  | { readonly kind: 'awaited'; readonly id: number }
  | { readonly kind: 'changes'; readonly id: number; readonly changes: EndpointChanges }
  /** To be answered at once with all that is untold of the service, and with the same `round`. */
  | { readonly kind: 'tell'; readonly id: number; readonly round: number };

export type FromFollower =
  | {
      readonly kind: 'follow';
      readonly id: number;
      readonly name: string;
      /** The same for the same configuration. */
      readonly key: string;
      /** No configuration names it, so the supervisor may have to make it. */
      readonly isUndeclared: boolean;
    }
  | { readonly kind: 'unfollow'; readonly id: number }
  | { readonly kind: 'seen'; readonly seen: readonly SeenTries[] }
  | { readonly kind: 'told'; readonly round: number; readonly seen: SeenTries };

/** Rows of numbers one after the other: there may be thousands, several times a second. */
export interface SeenTries {
  readonly id: number;
  /** In order; see `FAILURE_COLUMNS`. */
  readonly failures: Uint32Array;
  /** See `TOTAL_COLUMNS`; since the last time, but for `active`. */
  readonly totals: Float64Array;
}

/** ref, answers that are no failures before it, kind, how many in a row. */
export const FAILURE_COLUMNS = 4;

/** ref, answers that are no failures since its last failure, tries, failed tries, timed answers, their ms, active. */
export const TOTAL_COLUMNS = 7;

/** Kinds of failures, as outlier detection tells them apart. */
export const SERVER_ERROR = 0;
/** 502, 503 and 504. */
export const GATEWAY_FAILURE = 1;
export const NO_ANSWER = 2;
