/** Gives the discovery of a service that was only just asked for a moment, instead of refusing its first calls. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';

/** Some milliseconds, and 20 at most: see `Service.firstAnswer`. */
export function awaitDiscovery({ target }: GatewayExchange): StageResult | Promise<StageResult> {
  if (target!.kind !== 'service' || target!.service.isDiscovered) return;
  return target!.service.firstAnswer;
}
