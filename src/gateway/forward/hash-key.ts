/** The key that a hashing policy goes by, out of an exchange. */
import { xxHash64 } from '../../mesh/balancing/xxhash64.ts';
import type { HashOn } from '../config/balancer-config.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';

/** Its 53-bit hash; undefined where the request does not have what is asked for. */
export function hashOf(exchange: GatewayExchange, on: HashOn): number | undefined {
  const key = keyOf(exchange, on);
  return key === undefined ? undefined : xxHash64(key);
}

function keyOf({ request, peer }: GatewayExchange, { kind, name }: HashOn): string | undefined {
  switch (kind) {
    case 'header':
      return request.headers.get(name);
    case 'cookie':
      return request.cookie(name);
    case 'query':
      return request.queryParam(name);
    case 'ip':
      return peer.ip;
    default:
      return kind satisfies never;
  }
}
