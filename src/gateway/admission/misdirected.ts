/** 421 for a name that belongs to another listener (RFC 9110 §15.5.20). */
import { MeshgateError } from '../../errors.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';

export function misdirected(exchange: GatewayExchange): StageResult {
  const plan = exchange.snapshot.listeners.get(exchange.listener);
  if (plan?.isElsewhere?.(exchange.request.host) !== true) return;
  throw new MeshgateError('misdirected_request', {
    status: 421,
    detail: 'This name is served by another listener; connect to it anew.',
  });
}
