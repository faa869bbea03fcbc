/** The request path narrated: the same stages on an exchange that nobody waits for, and nothing sent upstream. */
import { toRequestId } from '../exchange/request-id.ts';
import { NO_HINT } from '../../mesh/balancing/policy.ts';
import { noHealthyEndpoint } from '../../mesh/service/call.ts';
import { firstEndpoints } from '../../mesh/service/first-endpoints.ts';
import { Problem, type Answer } from '../../plugins/sdk/answer.ts';
import type { Clock } from '../../plugins/sdk/plugin-context.ts';
import { toPeer } from '../exchange/client-address.ts';
import type { CompiledTarget, ForwardTarget, Snapshot } from '../config/snapshot.ts';
import type { ListenerFacts } from '../exchange/connection.ts';
import { GatewayExchange } from '../exchange/exchange.ts';
import type { Intake } from '../exchange/lane.ts';
import { receiveFields } from '../exchange/received-fields.ts';
import type { PathStage } from '../exchange/stage.ts';
import { BufferedBody } from '../../mesh/transport/buffered-body.ts';
import { ForwardCall } from '../forward/forward-call.ts';
import { takeSession } from '../forward/sticky-cookie.ts';
import { reasonOf, rescue } from '../rescue/rescue.ts';
import { Narration, type PluginVerdict, type RouteVerdict } from './narration.ts';
import { SilentDownstream } from './silent-downstream.ts';

/** The request to explain, as a client would send it. */
export interface ExplainRequest {
  readonly method: string;
  /** Origin-form target. */
  readonly target: string;
  readonly authority: string;
  /** Flat field lines. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  readonly listener: ListenerFacts;
  /** Where the client seems to be. */
  readonly clientAddress: string;
}

export interface EndpointVerdict {
  readonly endpoint: string;
  readonly verdict: string;
}

/** One of several that a request is drawn for. */
export interface TargetVerdict {
  /** E.g. `orders where version=v2`. */
  readonly target: string;
  readonly weight: number;
  /** Whether the lot has fallen on it this time. */
  readonly won: boolean;
}

export interface Explanation {
  readonly listener: string;
  /** The winner first; then why each other candidate lost. */
  readonly routes: readonly RouteVerdict[];
  readonly plugins: readonly PluginVerdict[];
  /** Those of the route, where it has several; empty where a plugin of the route answers. */
  readonly targets: readonly TargetVerdict[];
  /** Set where the request would go upstream, or would if there were an endpoint. */
  readonly forward:
    | {
        readonly service: string;
        /** What the upstream would see. */
        readonly target: string;
        readonly authority: string;
        readonly endpoint: string | undefined;
        readonly reason: string;
        readonly endpoints: readonly EndpointVerdict[];
      }
    | undefined;
  /** Set where the gateway would answer itself: the first stage that ends the exchange. */
  readonly answer:
    | { readonly status: number; readonly code: string; readonly reason: string }
    | undefined;
}

/** `stages` are those of the request path itself. */
export async function explain(
  request: ExplainRequest,
  snapshot: Snapshot,
  stages: readonly PathStage[],
  clock: Clock,
): Promise<Explanation> {
  const narration = new Narration();
  const exchange = toExchange(request, snapshot, clock, narration);
  let answer = await walk(exchange, stages);
  // With a narrator the hooks go on after a refusal; the first one is what a client would get.
  const refusal = narration.plugins.find((verdict) => verdict.answer !== undefined)?.answer;
  if (refusal !== undefined) {
    answer = { status: refusal.status, code: refusal.code ?? '', reason: refusal.detail ?? '' };
  }
  const { target } = exchange;
  let forward: Explanation['forward'];
  // What has been answered goes nowhere: an endpoint would only mislead.
  if (answer === undefined && target?.kind === 'service') {
    forward = await explainForwarding(exchange, target);
    if (forward.endpoint === undefined) {
      answer = toAnswer(exchange, noHealthyEndpoint(target.service.name));
    }
  }
  return {
    listener: exchange.listener,
    routes: narration.routes,
    plugins: narration.plugins,
    targets: refusal === undefined ? toTargetVerdicts(exchange) : [],
    forward,
    answer,
  };
}

function toTargetVerdicts({ compiledRoute, target }: GatewayExchange): TargetVerdict[] {
  const all = compiledRoute?.targets?.all ?? [];
  if (all.length < 2 || target === undefined) return [];
  return all.map(({ compiled, weight }) => {
    return { target: nameOf(compiled), weight, won: compiled === target };
  });
}

function nameOf(target: CompiledTarget): string {
  if (target.kind === 'redirect') return 'redirect';
  if (target.kind === 'respond') return `respond ${target.answer.status}`;
  const where = Object.entries(target.subset.where).map(([key, value]) => `${key}=${value}`);
  return `${target.service.name}${where.length === 0 ? '' : ` where ${where.join(', ')}`}`;
}

function toExchange(
  request: ExplainRequest,
  snapshot: Snapshot,
  clock: Clock,
  narration: Narration,
): GatewayExchange {
  const intake: Intake = {
    connection: {
      listener: request.listener,
      address: request.clientAddress,
      port: 0,
      trusted: false,
      protocol: 'http/1.1',
      tls: undefined,
      peer: undefined,
      forwarded: undefined,
    },
    method: request.method,
    target: request.target,
    authority: request.authority,
    headers: request.headers.slice(),
    body: request.body === undefined ? undefined : new BufferedBody(request.body),
    upgrade: undefined,
    expectContinue: false,
  };
  const provenance = receiveFields(intake.headers, false);
  const peer = toPeer(intake.connection, undefined, () => false);
  return new GatewayExchange(
    toRequestId('explain'),
    intake,
    new SilentDownstream(),
    snapshot,
    provenance,
    peer,
    clock.monotonic(),
    () => {},
    narration,
  );
}

async function walk(
  exchange: GatewayExchange,
  stages: readonly PathStage[],
): Promise<Explanation['answer']> {
  try {
    for (const stage of stages) {
      const result = await stage(exchange);
      if (result !== undefined) return toAnswer(exchange, result);
    }
    return undefined;
  } catch (error) {
    return toAnswer(exchange, error);
  }
}

function toAnswer(exchange: GatewayExchange, end: unknown): Explanation['answer'] {
  if (isAnswer(end)) return { status: end.status, code: '', reason: 'answered by the gateway' };
  const { status } = rescue(exchange, end);
  return { status, code: exchange.outcome.code, reason: reasonOf(end) };
}

function isAnswer(end: unknown): end is Answer {
  return !(end instanceof Error) && !(end instanceof Problem);
}

async function explainForwarding(
  exchange: GatewayExchange,
  target: ForwardTarget,
): Promise<NonNullable<Explanation['forward']>> {
  // Nobody waits for the answer, and a service that is found by its name was only just made.
  await firstEndpoints([target.service]);
  const pinned = target.sticky === undefined ? undefined : takeSession(exchange, target.sticky);
  const call = new ForwardCall(exchange, target, pinned);
  const { hash } = call;
  const { pick, panic, considered } = target.subset.explain({ ...NO_HINT, hash, pinned });
  return {
    service: target.service.name,
    target: call.requestTarget,
    authority: call.authority,
    endpoint: pick?.endpoint.id,
    reason: `${pick?.reason ?? 'no endpoint can be chosen'}${panic ? ' (panic: too few are healthy)' : ''}`,
    endpoints: considered.map(({ endpoint, verdict }) => ({ endpoint: endpoint.id, verdict })),
  };
}
