/** The answer as plugins see it, before its head goes out. */
import type { Duplex } from 'node:stream';
import type { ExchangeResponse } from '../../plugins/sdk/exchange.ts';
import { HeaderFields } from '../../plugins/sdk/header-fields.ts';

export class GatewayResponse implements ExchangeResponse {
  status = 0;
  reason = '';
  headers = new HeaderFields();
  source: 'upstream' | 'gateway' = 'gateway';
  transforms: Duplex[] | undefined;

  transformBody(transform: Duplex): void {
    (this.transforms ??= []).push(transform);
  }
}
