/** The plugin stages of the request path: the route's hooks, then those of the chosen target. */
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';
import { runRequestHooks } from './hooks.ts';

export function runRouteHooks(exchange: GatewayExchange): StageResult | Promise<StageResult> {
  return runRequestHooks(exchange, exchange.compiledRoute!.hooks.onRequest);
}

export function runTargetHooks(exchange: GatewayExchange): StageResult | Promise<StageResult> {
  return runRequestHooks(exchange, exchange.target!.ownRequestHooks);
}
