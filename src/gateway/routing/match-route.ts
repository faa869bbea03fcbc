/** Routes an exchange: the entry that wins on its listener, or 404. */
import { MeshgateError } from '../../errors.ts';
import type { CompiledRoute, ListenerPlan } from '../config/snapshot.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';
import type { RouteMatch } from './route-spec.ts';

export function matchRoute(exchange: GatewayExchange): StageResult {
  const plan = exchange.snapshot.listeners.get(exchange.listener);
  const match =
    plan?.table.match(exchange.request, exchange.narrator) ?? matchPreflight(exchange, plan);
  if (match === undefined) {
    throw new MeshgateError('no_route', { status: 404, detail: 'No route matches the request.' });
  }
  exchange.compiledRoute = match.value;
  exchange.matchedPrefix = match.entry.prefix;
  if (exchange.encodedSlash && !match.value.allowEncodedSlash) {
    throw new MeshgateError('bad_request', {
      status: 400,
      detail: 'The path has an encoded slash or backslash, which this route does not allow.',
    });
  }
}

/**
 * A CORS preflight asks about another method: where no route takes its OPTIONS, it goes to the
 * route that would take that method, if a plugin there answers preflights (Fetch, §4.8).
 */
function matchPreflight(
  { request }: GatewayExchange,
  plan: ListenerPlan | undefined,
): RouteMatch<CompiledRoute> | undefined {
  if (request.method !== 'OPTIONS') return undefined;
  const method = request.headers.get('access-control-request-method');
  if (method === undefined) return undefined;
  const { host, path, query, headers } = request;
  const match = plan?.table.match({ method, host, path, query, headers });
  return match?.value.hooks.answersPreflight === true ? match : undefined;
}
