/** Names that a listener does not serve: 421 where another one does (RFC 9110 §15.5.20), so that the client asks again there. */
import { MeshgateError } from '../../errors.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';

export function misdirected(exchange: GatewayExchange): StageResult {
  const plan = exchange.plan;
  // A request that was on its way when a reload took its listener out.
  if (plan === undefined) throw misdirectedRequest('This listener is gone; connect anew.');
  switch (plan.ownerOf?.(exchange.request.host)) {
    case 'other':
      throw misdirectedRequest('This name is served by another listener; connect to it anew.');
    case 'nobody':
      throw new MeshgateError('no_route', {
        status: 404,
        detail: 'This listener does not serve this name.',
      });
    default:
  }
}

function misdirectedRequest(detail: string): MeshgateError {
  return new MeshgateError('misdirected_request', { status: 421, detail });
}
