/** The exchange that every lane's requests become, and that the request path works on. */
import type { Consumer, ConsumerDirectory, Exchange, Peer } from '../../plugins/sdk/exchange.ts';
import type { TraceContext } from '../observe/trace-context.ts';
import type { CompiledRoute, CompiledTarget, ListenerPlan, Snapshot } from '../config/snapshot.ts';
import type { Downstream, DownstreamObserver, Intake } from './lane.ts';
import type { Provenance } from './received-fields.ts';
import type { PathNarrator } from '../explain/narration.ts';
import type { RequestId } from './request-id.ts';
import { GatewayRequest } from './request.ts';
import { GatewayResponse } from './response.ts';

/** What happened upstream, for the log, the metrics and the trace. */
export interface UpstreamAccount {
  /** `address:port` of the endpoint last tried; empty where none was chosen. */
  endpoint: string;
  attempts: number;
  /** Milliseconds, monotonic clock; 0 where it did not come to that. Of the first try, and of the last. */
  firstSentAt: number;
  sentAt: number;
  headAt: number;
}

/** How the exchange ended, beside the status. */
export interface Outcome {
  /** Stable code of the failure or refusal; empty for a plain success. */
  code: string;
  /** Why, in one line, for the log alone: may name internals, never secrets. */
  reason: string;
  bytesIn: number;
  bytesOut: number;
}

export class GatewayExchange implements Exchange, DownstreamObserver {
  readonly requestId: RequestId;
  readonly intake: Intake;
  readonly downstream: Downstream;
  readonly snapshot: Snapshot;
  readonly provenance: Provenance;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  readonly request: GatewayRequest;
  readonly response = new GatewayResponse();
  readonly upstream: UpstreamAccount = {
    endpoint: '',
    attempts: 0,
    firstSentAt: 0,
    sentAt: 0,
    headAt: 0,
  };
  readonly outcome: Outcome = { code: '', reason: '', bytesIn: 0, bytesOut: 0 };
  peer: Peer;
  trace: TraceContext | undefined;
  compiledRoute: CompiledRoute | undefined;
  /** The prefix that the winning match entry matched; undefined for other kinds. */
  matchedPrefix: string | undefined;
  target: CompiledTarget | undefined;
  service = '';
  consumer: Consumer | undefined;
  claims: Readonly<Record<string, unknown>> | undefined;
  /** The path has an encoded slash or backslash, which the route must allow. */
  encodedSlash = false;
  /** The head of the final answer has been handed to the lane. */
  headSent = false;
  /** Nothing more will happen but logging. */
  ended = false;
  /** What to do when the client is slow, or gone; set by whoever is sending the answer. */
  relay: DownstreamObserver | undefined;
  /** Set while `explain` narrates; hears what is decided and why. */
  readonly narrator: PathNarrator | undefined;
  /** Told once, when the exchange is over. */
  readonly onEnded: (exchange: GatewayExchange) => void;
  #plan: ListenerPlan | undefined;
  #state: Map<unknown, unknown> | undefined;
  #abort: AbortController | undefined;

  constructor(
    requestId: RequestId,
    intake: Intake,
    downstream: Downstream,
    snapshot: Snapshot,
    provenance: Provenance,
    peer: Peer,
    startedAt: number,
    onEnded: (exchange: GatewayExchange) => void,
    narrator?: PathNarrator,
  ) {
    this.requestId = requestId;
    this.intake = intake;
    this.downstream = downstream;
    this.snapshot = snapshot;
    this.provenance = provenance;
    this.peer = peer;
    this.startedAt = startedAt;
    this.onEnded = onEnded;
    this.narrator = narrator;
    this.request = new GatewayRequest(intake);
  }

  get id(): string {
    return this.requestId.text;
  }

  get listener(): string {
    return this.intake.connection.listener.name;
  }

  /** What the snapshot has for its listener; undefined: that is gone. */
  get plan(): ListenerPlan | undefined {
    return (this.#plan ??= this.snapshot.listeners.get(this.listener));
  }

  get route(): string {
    return this.compiledRoute?.name ?? '';
  }

  get consumers(): ConsumerDirectory {
    return this.snapshot.consumers;
  }

  get dryRun(): boolean {
    return this.narrator !== undefined;
  }

  get state(): Map<unknown, unknown> {
    return (this.#state ??= new Map());
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.ended) this.#abort.abort();
    return this.#abort.signal;
  }

  onDrain(): void {
    this.relay?.onDrain();
  }

  /** Nothing else has broken it. */
  #noteCut(): void {
    const { outcome } = this;
    if (outcome.code !== '') return;
    const { isCut } = this.intake.connection.listener;
    outcome.code = isCut ? 'drain_timeout' : 'client_closed_request';
    outcome.reason = isCut
      ? 'the listener had no more time to drain'
      : this.response.status === 0
        ? 'the client left before there was an answer'
        : 'the client left before it had the whole answer';
  }

  onClosed(complete: boolean, bytesSent: number): void {
    if (this.ended) return;
    this.ended = true;
    this.outcome.bytesOut = bytesSent;
    if (!complete) this.#noteCut();
    this.#abort?.abort();
    this.relay?.onClosed(complete, bytesSent);
    this.onEnded(this);
  }
}
