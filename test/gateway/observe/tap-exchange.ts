/** Exchanges as the tap sees them when they have ended. */
import type { GatewayExchange } from '../../../src/gateway/exchange/exchange.ts';

export interface Ended {
  readonly route?: string;
  readonly service?: string;
  readonly consumer?: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly status?: number;
  readonly requestHeaders?: string[];
}

export function endedExchange(ended: Ended = {}): GatewayExchange {
  const { route = 'orders', service = 'orders', consumer, method = 'GET', path = '/' } = ended;
  const { query = '', status = 200, requestHeaders = ['accept', '*/*'] } = ended;
  return {
    route,
    service,
    consumer: consumer === undefined ? undefined : { name: consumer },
    request: { method, path, query, headers: { raw: requestHeaders } },
    response: { status, headers: { raw: ['content-type', 'text/plain'] } },
    outcome: { code: '', reason: '' },
  } as unknown as GatewayExchange;
}
