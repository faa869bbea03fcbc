/** Copies of a request for services that only watch: never waited for, never in the way of the original. */
import type { BodySource } from '../../mesh/transport/body-source.ts';
import type { Call, CallRequest, CallSink, TryHead } from '../../mesh/service/call.ts';
import { createRetryRules } from '../../mesh/resilience/retry-policy.ts';
import type { CompiledMirror } from '../config/snapshot.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { reasonOf } from '../rescue/rescue.ts';
import { BufferedBody } from '../../mesh/transport/buffered-body.ts';
import { PassedBody } from './passed-body.ts';
import { toUpstreamHeaders } from './upstream-headers.ts';
import { goesOverHttp2 } from './upstream-protocol.ts';

/** A larger body is not copied: keeping it would make the original's memory depend on the mirror. */
const MIRROR_MAX_BYTES = 1024 * 1024;

const NEVER_AGAIN = createRetryRules({ attempts: 0 });

type OnLost = (service: string, reason: string) => void;

/** Draws the lots, and sends the copies once the original's body has been read through. */
export function sendMirrors(
  exchange: GatewayExchange,
  mirrors: readonly CompiledMirror[],
  random: () => number,
  onLost: OnLost,
): void {
  const drawn = mirrors.filter(({ share }) => random() < share);
  if (drawn.length === 0) return;
  const { request } = exchange;
  if (request.body === undefined) {
    for (const mirror of drawn) sendMirror(exchange, mirror, undefined, onLost);
    return;
  }
  request.body = new CopiedBody(request.body, (bytes) => {
    for (const mirror of drawn) {
      if (bytes === undefined) onLost(mirror.service.name, `body over ${MIRROR_MAX_BYTES} bytes`);
      else sendMirror(exchange, mirror, new BufferedBody(bytes), onLost);
    }
  });
}

function sendMirror(
  exchange: GatewayExchange,
  { service, subset }: CompiledMirror,
  body: BodySource | undefined,
  onLost: OnLost,
): void {
  const http2 = goesOverHttp2(service, exchange);
  const { rest, text } = toUpstreamHeaders(exchange, http2);
  const head: TryHead = {
    target: exchange.request.path + exchange.request.query,
    authority: exchange.request.authority,
    headers: rest,
    text,
  };
  const request: CallRequest = {
    method: exchange.request.method,
    subset,
    body,
    upgrade: undefined,
    expectContinue: false,
    http2,
    retry: NEVER_AGAIN,
    perTryTimeoutMs: 0,
    timeoutMs: exchange.compiledRoute!.timeoutMs,
    toTry: () => head,
  };
  const sink = new DiscardedAnswer((error) => onLost(service.name, reasonOf(error)));
  sink.call = service.call(request, sink);
}

class DiscardedAnswer implements CallSink {
  call: Call | undefined;
  readonly #onError: (error: Error) => void;

  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  onTry(): void {}
  onInformational(): void {}
  onHead(): void {}
  onData(): void {}
  onEnd(): void {}
  onUpgrade(
    _status: number,
    _reason: string,
    _headers: string[],
    socket: { destroy(): void },
  ): void {
    socket.destroy();
  }
  onError(error: Error): void {
    this.#onError(error);
  }
}

/** Passes a body on and keeps what went by, unless it becomes too much. */
class CopiedBody extends PassedBody {
  readonly #onCopied: (bytes: Uint8Array | undefined) => void;
  #chunks: Uint8Array[] | undefined = [];
  #bytes = 0;

  constructor(source: BodySource, onCopied: (bytes: Uint8Array | undefined) => void) {
    super(source);
    this.#onCopied = onCopied;
  }

  onData(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MIRROR_MAX_BYTES) this.#chunks = undefined;
    this.#chunks?.push(chunk);
    this.sink?.onData(chunk);
  }

  onEnd(trailers: readonly string[] | undefined): void {
    this.sink?.onEnd(trailers);
    this.#onCopied(this.#chunks === undefined ? undefined : Buffer.concat(this.#chunks));
  }
}
