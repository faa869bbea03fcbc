/** Refuses a body that is announced too large, and meters one that may turn out so. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';
import { bodyTooLarge, MeteredBody } from './metered-body.ts';

export function guardBody(exchange: GatewayExchange): StageResult {
  const { request } = exchange;
  const { body, maxBodyBytes } = request;
  // What a plugin collected has been measured already.
  if (body === undefined || request.bodyBytes !== undefined) return;
  if (maxBodyBytes > 0 && body.length !== undefined && body.length > maxBodyBytes) {
    throw bodyTooLarge(maxBodyBytes);
  }
  request.body = new MeteredBody(exchange, body);
}
