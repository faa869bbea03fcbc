/** The connections of a service: an upstream for each endpoint and protocol, made on its first try. */
import type { Endpoint } from '../endpoint.ts';
import type { CircuitThresholds } from '../resilience/circuit-breaker.ts';
import { createUpstream } from '../transport/create-upstream.ts';
import type { SocketShare } from '../transport/socket-budget.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamRequest,
  UpstreamSink,
  UpstreamTarget,
  UpstreamTls,
} from '../transport/upstream.ts';

/** `auto`: HTTP/2 without TLS for the calls that ask for it, HTTP/1.1 for the others. */
export type ServiceProtocol = UpstreamTarget['protocol'] | 'auto';

export interface EndpointUpstreamsOptions {
  readonly protocol: ServiceProtocol;
  readonly tls: UpstreamTls | undefined;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly thresholds: CircuitThresholds;
  /** For the connections of all services together; undefined: no limit is known. */
  readonly sockets: SocketShare | undefined;
  /** Whether the service still has the endpoint. */
  readonly isInUse: (endpoint: Endpoint) => boolean;
}

/** An answer's head may be as large as a request's. */
const MAX_ANSWER_HEAD_BYTES = 64 * 1024;

export class EndpointUpstreams {
  readonly #options: EndpointUpstreamsOptions;
  readonly #http1 = new Map<Endpoint, Upstream>();
  readonly #http2 = new Map<Endpoint, Upstream>();

  constructor(options: EndpointUpstreamsOptions) {
    this.#options = options;
  }

  send(
    endpoint: Endpoint,
    http2: boolean,
    request: UpstreamRequest,
    sink: UpstreamSink,
  ): UpstreamCall {
    const upstreams = http2 ? this.#http2 : this.#http1;
    const known = upstreams.get(endpoint);
    if (known !== undefined) return known.send(request, sink);
    const { connectTimeoutMs, keepAliveMs, thresholds, sockets, isInUse } = this.#options;
    const upstream = createUpstream(this.#targetOf(endpoint, http2), {
      connectTimeoutMs,
      keepAliveMs,
      maxConnections: thresholds.maxConnections,
      maxPending: thresholds.maxPending,
      maxHeadBytes: MAX_ANSWER_HEAD_BYTES,
      sockets,
    });
    const call = upstream.send(request, sink);
    // It may have left while the head of the try was made: then nobody else will close it.
    if (isInUse(endpoint)) upstreams.set(endpoint, upstream);
    else void upstream.close();
    return call;
  }

  /** The endpoint gets no more tries; what is under way ends by itself. */
  leave(endpoint: Endpoint): void {
    for (const upstreams of [this.#http1, this.#http2]) {
      const upstream = upstreams.get(endpoint);
      upstreams.delete(endpoint);
      void upstream?.close();
    }
  }

  /** Resolves when all is closed. */
  async close(): Promise<void> {
    const all = [...this.#http1.values(), ...this.#http2.values()];
    this.#http1.clear();
    this.#http2.clear();
    await Promise.all(all.map((upstream) => upstream.close()));
  }

  #targetOf({ spec }: Endpoint, http2: boolean): UpstreamTarget {
    const { tls } = this.#options;
    let { protocol } = this.#options;
    if (protocol === 'auto') protocol = http2 ? 'h2c' : 'http1';
    return { host: spec.host, port: spec.port, protocol, ...(tls !== undefined && { tls }) };
  }
}
