/** Routes an exchange: the entry that wins on its listener, or 404. */
import { MeshgateError } from '../../errors.ts';
import type { CompiledRoute } from '../config/snapshot.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { StageResult } from '../exchange/stage.ts';
import type { Routable } from './route-spec.ts';
import type { RouteTable } from './route-table.ts';

export function matchRoute(exchange: GatewayExchange): StageResult {
  const { request, narrator } = exchange;
  const table = exchange.plan?.table;
  const routable =
    table !== undefined && request.method === 'OPTIONS' ? toAsked(request, table) : request;
  const match = table?.match(routable, narrator);
  if (match === undefined) {
    throw new MeshgateError('no_route', { status: 404, detail: 'No route matches the request.' });
  }
  exchange.compiledRoute = match.value;
  exchange.matchedPrefix = match.prefix;
  if (exchange.encodedSlash && !match.value.allowEncodedSlash) {
    throw new MeshgateError('bad_request', {
      status: 400,
      detail: 'The path has an encoded slash or backslash, which this route does not allow.',
    });
  }
}

/**
 * A CORS preflight asks about another request (Fetch, "CORS-preflight request"): where a plugin
 * answers preflights on the route that would take that request, it is routed as that one. A
 * catch-all beside a route for GET would have it otherwise, and knows nothing of the other's
 * origins. A route that names OPTIONS itself goes first. Without an Origin it is no preflight,
 * and no way past a route's `methods`.
 */
function toAsked(request: Routable, table: RouteTable<CompiledRoute>): Routable {
  const method = request.headers.get('access-control-request-method');
  if (method === undefined || !request.headers.has('origin')) return request;
  if (table.match(request)?.namesMethod === true) return request;
  const { host, path, query, headers } = request;
  const asked: Routable = { method, host, path, query, headers };
  return table.match(asked)?.value.hooks.answersPreflight === true ? asked : request;
}
