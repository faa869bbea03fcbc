/** What the upstream contract needs of a server to talk to, whichever HTTP it speaks. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type {
  Upstream,
  UpstreamLimits,
  UpstreamRequest,
  UpstreamTarget,
} from '../../src/mesh/transport/upstream.ts';

/** Common to node:http's and node:http2's requests. */
export interface OriginRequest extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
}

/** Common to node:http's and node:http2's responses. */
export interface OriginResponse extends Writable {
  writeHead(status: number, headers?: Record<string, string | string[]>): unknown;
  addTrailers(trailers: Record<string, string>): void;
  writeContinue(): void;
  writeEarlyHints(hints: Record<string, string | string[]>): void;
}

export interface OriginExchange {
  readonly request: OriginRequest;
  readonly response: OriginResponse;
  /** Breaks this exchange off without an orderly end: RST, or RST_STREAM(INTERNAL_ERROR). */
  readonly reset: () => void;
}

/** Called for requests with `Expect: 100-continue` too; `writeContinue` is its business. */
export type OriginHandler = (exchange: OriginExchange) => void;

export interface Origin {
  readonly target: UpstreamTarget;
  /** Connections accepted so far. */
  accepted(): number;
  close(): Promise<void>;
}

export interface UpstreamContract {
  createOrigin(handler: OriginHandler): Promise<Origin>;
  /** Limits left out are the suite's: see `LIMITS`. */
  createUpstream(target: UpstreamTarget, limits?: Partial<UpstreamLimits>): Upstream;
}

export const LIMITS: UpstreamLimits = {
  connectTimeoutMs: 10_000,
  keepAliveMs: 60_000,
  maxConnections: 16,
  maxPending: 16,
  maxHeadBytes: 16_384,
};

/** A request that is complete but for what a test wants to be different. */
export function requestOf(changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'GET',
    target: '/',
    authority: 'origin.test',
    headers: [],
    body: undefined,
    upgrade: undefined,
    expectContinue: false,
    responseTimeoutMs: 0,
    idleTimeoutMs: 0,
    fresh: false,
    ...changes,
  };
}

/** Everything a request's body holds. */
export async function readBody(request: Readable): Promise<string> {
  let text = '';
  for await (const chunk of request) text += (chunk as Buffer).toString('latin1');
  return text;
}
