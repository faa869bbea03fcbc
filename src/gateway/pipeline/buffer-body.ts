/** Collects a request's body before the first hook that asked for all of it. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import { BufferedBody, collectBody } from '../../mesh/transport/buffered-body.ts';
import { guardBody } from '../forward/guard-body.ts';

export function needsBuffering({ request }: GatewayExchange): boolean {
  return request.bodyBytes === undefined && request.body !== undefined;
}

/** Rejects with 413 where the body passes its limit, and where the client breaks off. */
export async function bufferBody(exchange: GatewayExchange): Promise<void> {
  const { request } = exchange;
  guardBody(exchange);
  request.bodyBytes = await collectBody(request.body!);
  request.body = new BufferedBody(request.bodyBytes);
}
