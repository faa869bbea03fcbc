/** A look by one request over the service's own transport: HTTP and gRPC checks differ in what they make of the answer. */
import type { HeaderFields } from '../../plugins/sdk/header-fields.ts';
import { createUpstream } from '../transport/create-upstream.ts';
import { keep } from '../transport/read-memory.ts';
import type { UpstreamError } from '../transport/upstream-error.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamRequest,
  UpstreamSink,
} from '../transport/upstream.ts';
import { toEndpointId, type EndpointSpec } from '../endpoint.ts';
import type { Probe, ProbeAttempt, ProbeProtocol, ProbeReport } from './probe.ts';

/** What the check sends, and how it reads the answer. */
export interface ProbeRequest {
  readonly method: string;
  readonly target: string;
  /** Undefined: the endpoint's address. */
  readonly authority: string | undefined;
  readonly headers: readonly string[];
  readonly body: () => UpstreamRequest['body'];
  /** At the answer's head; undefined: the end has to be waited for. */
  readonly judgeHead: (status: number, headers: readonly string[]) => ProbeReport | undefined;
  readonly judgeEnd: (body: Uint8Array, trailers: readonly string[]) => ProbeReport;
}

/** More of an answer than any check has to say. */
const MAX_ANSWER_BYTES = 64 * 1024;

export function createRequestProbe(request: ProbeRequest, protocol: ProbeProtocol): Probe {
  return (endpoint, timeoutMs, report) => {
    const exchange = new ProbeExchange(request, endpoint, protocol, timeoutMs, report);
    exchange.start();
    return exchange;
  };
}

class ProbeExchange implements UpstreamSink, ProbeAttempt {
  readonly #request: ProbeRequest;
  readonly #authority: string;
  readonly #upstream: Upstream;
  readonly #timeoutMs: number;
  readonly #report: (report: ProbeReport) => void;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #call: UpstreamCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    request: ProbeRequest,
    { host, port }: EndpointSpec,
    protocol: ProbeProtocol,
    timeoutMs: number,
    report: (report: ProbeReport) => void,
  ) {
    this.#request = request;
    this.#authority = request.authority ?? toEndpointId(host, port);
    this.#timeoutMs = timeoutMs;
    this.#report = report;
    this.#upstream = createUpstream(
      { host, port, ...protocol },
      {
        connectTimeoutMs: timeoutMs,
        keepAliveMs: timeoutMs,
        maxConnections: 1,
        maxPending: 1,
        maxHeadBytes: MAX_ANSWER_BYTES,
      },
    );
  }

  start(): void {
    const { method, target, headers, body } = this.#request;
    const timeoutMs = this.#timeoutMs;
    this.#timer = setTimeout(() => {
      this.#settle({ result: 'fail', detail: `no answer within ${timeoutMs} ms` });
    }, timeoutMs);
    this.#call = this.#upstream.send(
      {
        method,
        target,
        authority: this.#authority,
        headers,
        body: body(),
        upgrade: undefined,
        expectContinue: false,
        responseTimeoutMs: 0,
        idleTimeoutMs: 0,
        fresh: false,
      },
      this,
    );
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
  }

  onInformational(): void {}

  onHead(status: number, _reason: string, headers: HeaderFields): void {
    const report = this.#request.judgeHead(status, headers.raw);
    if (report !== undefined) this.#settle(report);
  }

  onData(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_ANSWER_BYTES) {
      this.#settle({ result: 'fail', detail: 'the answer is too long' });
    } else {
      this.#chunks.push(keep(chunk));
    }
  }

  onEnd(trailers: string[] | undefined): void {
    if (this.#isOver) return;
    this.#settle(this.#request.judgeEnd(Buffer.concat(this.#chunks), trailers ?? []));
  }

  onUpgrade(status: number): void {
    this.#settle({ result: 'fail', detail: `status ${status}` });
  }

  onError(error: UpstreamError): void {
    // What this side lacks says nothing about the endpoint.
    const result = error.failure === 'exhausted' ? 'warn' : 'fail';
    this.#settle({ result, detail: error.message });
  }

  #settle(report: ProbeReport): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#report(report);
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#call?.abort();
    this.#upstream.destroy();
  }
}
