/** Which version of HTTP an exchange goes on by. */
import type { Service } from '../../mesh/service/service.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { isGrpcContent } from '../exchange/grpc-content.ts';

/** gRPC is HTTP/2 and nothing else; all other HTTP is passed on without loss over HTTP/1.1. */
export function goesOverHttp2({ http2, auto }: Service, exchange: GatewayExchange): boolean {
  if (!auto) return http2;
  const { intake, request } = exchange;
  return intake.connection.protocol === 'h2' && isGrpcContent(request.headers.get('content-type'));
}
