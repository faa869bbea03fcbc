/** Counts a request body on its way and breaks it off past its limit, so that nothing is ever buffered to be measured. */
import { MeshgateError } from '../../errors.ts';
import type { BodySource } from '../../mesh/transport/body-source.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { receiveFields } from '../exchange/received-fields.ts';
import { PassedBody } from './passed-body.ts';

/** The refusal of a body over the limit. */
export function bodyTooLarge(maxBytes: number): MeshgateError {
  return new MeshgateError('payload_too_large', {
    status: 413,
    detail: `The request body is larger than the ${maxBytes} bytes allowed here.`,
  });
}

export class MeteredBody extends PassedBody {
  readonly #exchange: GatewayExchange;
  /** 0: no limit. */
  readonly #maxBytes: number;

  constructor(exchange: GatewayExchange, source: BodySource) {
    super(source);
    this.#exchange = exchange;
    this.#maxBytes = exchange.request.maxBodyBytes;
  }

  onData(chunk: Uint8Array): void {
    const { outcome } = this.#exchange;
    outcome.bytesIn += chunk.length;
    if (this.#maxBytes > 0 && outcome.bytesIn > this.#maxBytes) {
      const sink = this.sink;
      this.cancel();
      sink?.onError(bodyTooLarge(this.#maxBytes));
      return;
    }
    this.sink?.onData(chunk);
  }

  onEnd(trailers: readonly string[] | undefined): void {
    // Trailers may claim no more than the head may.
    const kept = trailers?.slice();
    if (kept !== undefined) receiveFields(kept, false);
    this.sink?.onEnd(kept);
  }
}
