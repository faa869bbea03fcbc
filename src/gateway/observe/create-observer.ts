/** Puts metrics, access log, tap and traces behind the one observer that the request path knows. */
import type { MeshgateError } from '../../errors.ts';
import type { Clock, Log } from '../../plugins/sdk/plugin-context.ts';
import type { Connection } from '../exchange/connection.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { runLogHooks } from '../pipeline/hooks.ts';
import { reasonOf } from '../rescue/rescue.ts';
import { composeAccessLine, isPlain } from './access-line.ts';
import { statusOf, toAccessRecord } from './access-log.ts';
import type { LineWriter } from './line-writer.ts';
import type { Observer } from './observer.ts';
import type { RequestMetrics } from './request-metrics.ts';
import type { TapSource } from './tap.ts';
import type { Tracing } from './tracing.ts';

export interface ObserverDependencies {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: RequestMetrics;
  /** Undefined: no access log. */
  readonly accessLog: { readonly writer: LineWriter; readonly sample: number } | undefined;
  /** Undefined: no traces are exported; trace context is passed on all the same. */
  readonly tracing: Tracing | undefined;
  readonly tap: TapSource;
}

export function createObserver(dependencies: ObserverDependencies): Observer {
  const { clock, random, log, metrics, accessLog, tracing, tap } = dependencies;
  // Exchanges that found no route are counted under the empty name.
  const unrouted = metrics.cellsOf('');

  let wall = 0;
  let wallReadAt = -Infinity;

  function hookFailed(plugin: string, error: unknown): void {
    log.warn({ plugin, reason: reasonOf(error) }, 'a plugin failed in onLog');
  }

  /** The wall clock, looked at no more than once a millisecond of the other. */
  function wallMs(monotonicMs: number): number {
    if (Math.abs(monotonicMs - wallReadAt) >= 1) {
      wallReadAt = monotonicMs;
      wall = clock.now();
    }
    return wall;
  }

  function tell(exchange: GatewayExchange, durationMs: number): void {
    const hooks = (exchange.target ?? exchange.compiledRoute)?.hooks.onLog;
    const failed = exchange.outcome.code !== '';
    const kept =
      accessLog !== undefined && (failed || accessLog.sample >= 1 || random() < accessLog.sample);
    const isWanted = tap.isTapped && tap.wants(exchange);
    const isHooked = hooks !== undefined && hooks.length > 0;
    if (kept && !isWanted && !isHooked && isPlain(exchange)) {
      logPlain(accessLog.writer, exchange, durationMs);
      return;
    }
    if (!kept && !isWanted && !isHooked) return;
    const record = toAccessRecord(exchange, clock.now(), durationMs);
    if (isHooked) runLogHooks(exchange, record, hooks, hookFailed);
    if (kept) accessLog.writer.write(`${toLine(exchange, record)}\n`);
    if (isWanted) tap.offer(exchange, record, exchange.startedAt + durationMs);
  }

  /** The line of an exchange that nobody but the log wants to hear of. */
  function logPlain(writer: LineWriter, exchange: GatewayExchange, durationMs: number): void {
    const nowMs = wallMs(exchange.startedAt + durationMs);
    composeAccessLine(writer.block, exchange, nowMs, durationMs);
    if (writer.take()) return;
    writer.write(`${JSON.stringify(toAccessRecord(exchange, nowMs, durationMs))}\n`);
  }

  function toLine(exchange: GatewayExchange, record: Record<string, unknown>): string {
    try {
      return JSON.stringify(record);
    } catch (error) {
      // A hook has put in what JSON cannot say: the line goes without the hooks' additions.
      hookFailed('', error);
      return JSON.stringify(
        toAccessRecord(exchange, clock.now(), clock.monotonic() - exchange.startedAt),
      );
    }
  }

  return {
    traceSample: tracing?.sample ?? 0,

    finished(exchange) {
      const durationMs = clock.monotonic() - exchange.startedAt;
      const { compiledRoute, upstream, outcome } = exchange;
      const cells = compiledRoute?.cells ?? unrouted;
      cells.record(
        exchange.listener,
        exchange.service,
        exchange.request.method,
        statusOf(exchange),
        durationMs / 1000,
      );
      if (outcome.code === 'rate_limited') cells.rateLimited();
      if (upstream.headAt > 0) {
        metrics.upstream(exchange.service, (upstream.headAt - upstream.sentAt) / 1000);
      }
      tell(exchange, durationMs);
      if (exchange.trace?.sampled === true) tracing?.record(exchange, clock.now(), durationMs);
    },

    refused(connection: Connection, error: MeshgateError, id: string) {
      const { listener, address, protocol } = connection;
      unrouted.record(listener.name, '', '', error.status, 0);
      accessLog?.writer.write(
        `${JSON.stringify({
          time: new Date(clock.now()).toISOString(),
          request_id: id,
          listener: listener.name,
          protocol,
          client_ip: address,
          status: error.status,
          code: error.code,
          reason: reasonOf(error),
        })}\n`,
      );
    },

    answerHookFailed(exchange, error) {
      log.warn(
        { request_id: exchange.id, route: exchange.route, reason: reasonOf(error) },
        'a plugin failed in onResponse; the answer went out without it',
      );
    },
  };
}
