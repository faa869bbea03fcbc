/** Spans over OTLP/HTTP: one for each sampled exchange, made when it is over. */
import { SpanKind, SpanStatusCode, TraceFlags, type Attributes } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { toHighResolutionTime } from './high-resolution-time.ts';
import type { TraceContext } from './trace-context.ts';

export interface Tracing {
  /** Probability that a trace which begins here is recorded. */
  readonly sample: number;
  /** Ends now; both times in milliseconds. */
  record(exchange: GatewayExchange, nowMs: number, durationMs: number): void;
  /** Sends what is left, where the collector takes it soon. Never rejects. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  /** Base URL of an OTLP/HTTP collector; `/v1/traces` is added. */
  readonly otlp: string;
  readonly sample: number;
  readonly nodeName: string;
  readonly version: string;
  readonly log: Log;
}

/** A collector that is gone must not hold up a node that stops. */
const STOP_DEADLINE_MS = 2000;

/**
 * The span is built by hand and not by a tracer: its id has gone upstream in `traceparent` long
 * before it is known whether there is anything to record, and unsampled exchanges cost nothing.
 */
export function createTracing(options: TracingOptions): Tracing {
  const { otlp, sample, nodeName, version, log } = options;
  const processor = new BatchSpanProcessor(
    new OTLPTraceExporter({ url: `${otlp.replace(/\/$/, '')}/v1/traces` }),
  );
  const origin = {
    resource: resourceFromAttributes({
      'service.name': 'meshgate',
      'service.version': version,
      'service.instance.id': nodeName,
    }),
    instrumentationScope: { name: 'meshgate', version },
  };
  return {
    sample,
    record(exchange, nowMs, durationMs) {
      processor.onEnd(toSpan(exchange, exchange.trace!, nowMs, durationMs, origin));
    },
    async stop() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('the collector is too slow')), STOP_DEADLINE_MS);
      });
      try {
        await Promise.race([processor.shutdown(), late]);
      } catch (error) {
        log.warn({ err: error, otlp }, 'the last traces could not be sent');
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function toSpan(
  exchange: GatewayExchange,
  trace: TraceContext,
  nowMs: number,
  durationMs: number,
  origin: Pick<ReadableSpan, 'resource' | 'instrumentationScope'>,
): ReadableSpan {
  const { request } = exchange;
  const context = { traceId: trace.traceId, spanId: trace.spanId, traceFlags: TraceFlags.SAMPLED };
  return {
    ...origin,
    name: exchange.route === '' ? request.method : `${request.method} ${exchange.route}`,
    kind: SpanKind.SERVER,
    spanContext: () => context,
    ...(trace.parentSpanId !== '' && {
      parentSpanContext: {
        traceId: trace.traceId,
        spanId: trace.parentSpanId,
        traceFlags: TraceFlags.SAMPLED,
        isRemote: true,
      },
    }),
    startTime: toHighResolutionTime(nowMs - durationMs),
    endTime: toHighResolutionTime(nowMs),
    duration: toHighResolutionTime(durationMs),
    status: { code: isFailed(exchange) ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: toAttributes(exchange),
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** What a client did wrong is no error of a server's span (OpenTelemetry, "HTTP spans", Status). */
function isFailed({ response, outcome }: GatewayExchange): boolean {
  if (response.status >= 400) return response.status >= 500;
  // A good head may be followed by half a body.
  return outcome.code !== '' && outcome.code !== 'client_closed_request';
}

/** OpenTelemetry's semantic conventions for HTTP servers, and our own under `meshgate.`. */
function toAttributes(exchange: GatewayExchange): Attributes {
  const { request, response, peer, upstream, outcome } = exchange;
  return {
    'http.request.method': request.method,
    'http.response.status_code': response.status,
    'url.scheme': request.scheme,
    'url.path': request.path,
    'server.address': request.host,
    'client.address': peer.ip,
    'network.protocol.version': peer.protocol === 'h2' ? '2' : peer.protocol.slice(5),
    'meshgate.listener': exchange.listener,
    'meshgate.request_id': exchange.id,
    ...(exchange.route !== '' && { 'http.route': exchange.route }),
    ...(exchange.service !== '' && { 'meshgate.service': exchange.service }),
    ...(upstream.attempts > 0 && {
      'meshgate.endpoint': upstream.endpoint,
      'meshgate.attempts': upstream.attempts,
    }),
    ...(outcome.code !== '' && { 'error.type': outcome.code }),
  };
}
