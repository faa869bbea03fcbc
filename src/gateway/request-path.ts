/**
 * READ FIRST: the way of a request through the gateway, as one short list of stages.
 *
 * Every stage says nothing (go on), or how the exchange ends. A stage that has to wait returns
 * a promise; nothing else on the path makes one. What is thrown or refused leaves through
 * `rescue`; the picture with every error exit is in README.md beside this file.
 */
import type { MeshgateError } from '../errors.ts';
import { Problem, type Answer } from '../plugins/sdk/answer.ts';
import type { Clock } from '../plugins/sdk/plugin-context.ts';
import { misdirected } from './admission/misdirected.ts';
import { type OverloadGuard, refuseOverload } from './admission/overload.ts';
import { readTarget } from './admission/read-target.ts';
import { redirectToHttps } from './admission/redirect-to-https.ts';
import type { Snapshot } from './config/snapshot.ts';
import { toPeer } from './exchange/client-address.ts';
import type { Connection } from './exchange/connection.ts';
import { GatewayExchange } from './exchange/exchange.ts';
import type { Door, Downstream, Intake } from './exchange/lane.ts';
import type { PathStage, StageResult } from './exchange/stage.ts';
import { receiveFields } from './exchange/received-fields.ts';
import { drawRequestId, toRequestId } from './exchange/request-id.ts';
import { isMalformed } from './exchange/request-refusals.ts';
import { guardBody } from './forward/guard-body.ts';
import { awaitDiscovery } from './forward/await-discovery.ts';
import type { Forwarder } from './forward/forward.ts';
import { answerLocally, chooseTarget } from './forward/target.ts';
import type { Observer } from './observe/observer.ts';
import { continueTrace } from './observe/trace-context.ts';
import { runRouteHooks, runTargetHooks } from './pipeline/stages.ts';
import { breakOff, sendAnswer, type AnswerEnvironment } from './pipeline/send-answer.ts';
import { rescue, rescueMalformed } from './rescue/rescue.ts';
import { matchRoute } from './routing/match-route.ts';

export interface RequestPathDependencies {
  /** The snapshot that serves from now on; asked once per exchange. */
  readonly currentSnapshot: () => Snapshot;
  readonly forwarder: Forwarder;
  readonly observer: Observer;
  readonly overload: OverloadGuard;
  readonly clock: Clock;
  readonly random: () => number;
  readonly isTrustedProxy: (address: string) => boolean;
}

/** The stages between a well-formed request and its forwarding, in order. */
export function requestStages(overload: OverloadGuard, random: () => number): readonly PathStage[] {
  return [
    refuseOverload(overload), // 503 overloaded
    readTarget, // one canonical path and host: 400 bad_request, 414 uri_too_long
    misdirected, // 421 misdirected_request, 404 no_route
    redirectToHttps, // 308
    matchRoute, // 404 no_route, 400 for an encoded slash
    runRouteHooks, // edge → authenticate → authorize → shape: 401, 403, 413, 429 …
    chooseTarget(random), // 503 no_healthy_endpoint where every weight is 0
    awaitDiscovery, // 20 ms at most, for a service that was only just asked for
    runTargetHooks, // the target's own plugins
    answerLocally, // redirect and respond end here
    guardBody, // 413 payload_too_large
  ];
}

export function createRequestPath(dependencies: RequestPathDependencies): Door {
  const { clock, random, forwarder, observer } = dependencies;
  const stages = requestStages(dependencies.overload, random);

  function finished(exchange: GatewayExchange): void {
    try {
      observer.finished(exchange);
    } finally {
      exchange.snapshot.lease.release();
    }
  }

  const answering: AnswerEnvironment = {
    monotonic: () => clock.monotonic(),
    onHookFailed: (exchange, error) => observer.answerHookFailed(exchange, error),
  };

  /** Ends an exchange by what refused or broke it. */
  function fail(exchange: GatewayExchange, cause: unknown): void {
    try {
      if (isMalformed(cause)) exchange.downstream.closeAfter();
      sendAnswer(exchange, rescue(exchange, cause), answering);
    } catch (error) {
      breakOff(exchange, error);
    }
  }

  function end(exchange: GatewayExchange, result: Answer | Problem): void {
    if (result instanceof Problem) fail(exchange, result);
    else sendAnswer(exchange, result, answering);
  }

  /** Walks the stages from the `from`th on; the loop is left only to wait, to end, or to forward. */
  function walk(exchange: GatewayExchange, from: number): void {
    try {
      for (let i = from; i < stages.length; i++) {
        const result = stages[i]!(exchange);
        if (result === undefined) continue;
        if (result instanceof Promise) {
          wait(exchange, result, i + 1);
          return;
        }
        end(exchange, result);
        return;
      }
      forwarder.forward(exchange, fail);
    } catch (error) {
      fail(exchange, error);
    }
  }

  function wait(exchange: GatewayExchange, pending: Promise<StageResult>, next: number): void {
    pending
      .then((result) => {
        if (exchange.ended) return;
        if (result === undefined) walk(exchange, next);
        else end(exchange, result);
      })
      .catch((error: unknown) => fail(exchange, error));
  }

  return {
    serve(intake: Intake, downstream: Downstream): void {
      const { connection } = intake;
      const { trusted, listener } = connection;
      const snapshot = dependencies.currentSnapshot();
      snapshot.lease.acquire();
      const provenance = receiveFields(intake.headers, trusted, listener.door !== undefined);
      const peer = toPeer(connection, provenance.forwardedFor, dependencies.isTrustedProxy);
      const startedAt = clock.monotonic();
      const { requestId } = provenance;
      const exchange = new GatewayExchange(
        requestId === undefined ? drawRequestId() : toRequestId(requestId),
        intake,
        downstream,
        snapshot,
        provenance,
        peer,
        startedAt,
        finished,
      );
      exchange.trace = continueTrace(
        provenance.traceparent,
        provenance.tracestate,
        observer.traceSample,
        random,
      );
      downstream.observer = exchange;
      walk(exchange, 0);
    },

    refuse(connection: Connection, error: MeshgateError): Answer {
      const { text: id } = drawRequestId();
      observer.refused(connection, error, id);
      return rescueMalformed(error, id);
    },
  };
}
