/** 421 for what this connection is the wrong one for (RFC 9110 §15.5.20): the client may ask again on another. */
import { MeshgateError } from '../../errors.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';

export function misdirected(exchange: GatewayExchange): StageResult {
  const plan = exchange.snapshot.listeners.get(exchange.listener);
  // A request that was on its way when a reload took its listener out.
  if (plan === undefined) throw misdirectedRequest('This listener is gone; connect anew.');
  if (plan.isElsewhere?.(exchange.request.host) !== true) return;
  throw misdirectedRequest('This name is served by another listener; connect to it anew.');
}

function misdirectedRequest(detail: string): MeshgateError {
  return new MeshgateError('misdirected_request', { status: 421, detail });
}
