/** The answer as plugins see it, before its head goes out. */
import type { Duplex } from 'node:stream';
import type { ExchangeResponse } from '../../plugins/sdk/exchange.ts';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';

export class GatewayResponse implements ExchangeResponse {
  status = 0;
  reason = '';
  source: 'upstream' | 'gateway' = 'gateway';
  transforms: Duplex[] | undefined;
  #headers: HeaderFields | undefined = undefined;

  /** Made when first asked for: most answers come with theirs. */
  get headers(): HeaderFields {
    return (this.#headers ??= new HeaderFields());
  }

  set headers(headers: HeaderFields) {
    this.#headers = headers;
  }

  transformBody(transform: Duplex): void {
    (this.transforms ??= []).push(transform);
  }
}
