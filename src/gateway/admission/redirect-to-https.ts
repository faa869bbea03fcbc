/** A plain listener that only sends clients to its HTTPS sibling. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import { toHttpsRedirect } from '../forward/redirect.ts';
import type { StageResult } from '../exchange/stage.ts';

export function redirectToHttps(exchange: GatewayExchange): StageResult {
  const redirect = exchange.plan?.redirectHttps;
  // Behind a trusted proxy that ended TLS the client is on HTTPS already.
  if (redirect === undefined || exchange.provenance.forwardedProto === 'https') return;
  return toHttpsRedirect(exchange, redirect.port, redirect.status);
}
