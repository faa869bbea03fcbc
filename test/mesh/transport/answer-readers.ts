/** The two that read an origin's answers: the HTTP/1.1 upstream, and undici's Client as the reference. */
import { Client } from 'undici';
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import { createHttp1Upstream } from '../../../src/mesh/transport/http1-upstream.ts';
import { UpstreamError } from '../../../src/mesh/transport/upstream-error.ts';
import type { Upstream, UpstreamSink } from '../../../src/mesh/transport/upstream.ts';
import { LIMITS } from '../../contracts/upstream-origin.ts';

/** One connection at a time to one origin. */
export type AnswerReader = Pick<Upstream, 'send' | 'destroy'>;

export type CreateAnswerReader = (port: number, maxHeadBytes: number) => AnswerReader;

const KEEP_ALIVE_MS = 60_000;

export function createOwnReader(port: number, maxHeadBytes: number): AnswerReader {
  return createHttp1Upstream(
    { host: '127.0.0.1', port, protocol: 'http1' },
    { ...LIMITS, keepAliveMs: KEEP_ALIVE_MS, maxConnections: 1, maxHeadBytes },
  );
}

export function createUndiciReader(port: number, maxHeadBytes: number): AnswerReader {
  const client = new Client(`http://127.0.0.1:${port}`, {
    maxHeaderSize: maxHeadBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // As much as the upstream takes off what an origin says.
    keepAliveTimeoutThreshold: 1000,
  });
  return {
    send: ({ method, target, upgrade }, sink) => {
      client.dispatch({ method, path: target, upgrade: upgrade ?? null }, toHandler(sink));
      return { pause: () => {}, resume: () => {}, abort: () => {} };
    },
    destroy: () => void client.destroy(),
  };
}

function toHandler(sink: UpstreamSink): Parameters<Client['dispatch']>[1] {
  let answered = false;
  return {
    onRequestStart: () => {},
    onResponseStart: (controller, status, _, reason = '') => {
      const headers = toFields(controller.rawHeaders);
      if (status < 200) {
        sink.onInformational(status, headers);
        return;
      }
      answered = true;
      sink.onHead(status, reason, new HeaderFields(headers));
    },
    onResponseData: (_, chunk) => sink.onData(chunk),
    onResponseEnd: (controller) => {
      const trailers = toFields(controller.rawTrailers);
      sink.onEnd(trailers.length === 0 ? undefined : trailers);
    },
    onRequestUpgrade: (controller, status, _, socket) =>
      sink.onUpgrade(status, '', toFields(controller.rawHeaders), socket),
    onResponseError: (_, cause) => {
      const facts = { sent: true, answered, reused: false, cause };
      sink.onError(new UpstreamError('protocol', cause.message, facts));
    },
  };
}

function toFields(raw: unknown): string[] {
  return Array.isArray(raw) ? raw.map((part: Buffer) => part.toString('latin1')) : [];
}
