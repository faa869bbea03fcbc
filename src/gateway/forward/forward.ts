/** Exchange → service → exchange: the last step of the request path. */
import type { Duplex } from 'node:stream';
import type { GatewayExchange } from '../exchange/exchange.ts';
import type { ForwardTarget } from '../config/snapshot.ts';
import { ForwardCall } from './forward-call.ts';
import { sendMirrors } from './mirror.ts';
import { ResponseRelay, type RelayEnvironment } from './response-relay.ts';
import { TransformedBody } from './transformed-body.ts';
import { joinTunnel, type Tunnel } from './tunnel.ts';

export interface Forwarder {
  /** Takes an exchange with a chosen service; `fail` words what goes wrong before the answer's head. */
  forward(exchange: GatewayExchange, fail: RelayEnvironment['fail']): void;
  /** Tells both ends of every tunnel that the gateway goes away (WebSocket 1001). */
  closeTunnels(): void;
}

export interface ForwarderDependencies {
  readonly monotonic: () => number;
  readonly random: () => number;
  /** A mirrored copy failed or was dropped; nobody waits for it. */
  readonly onMirrorLost: (service: string, reason: string) => void;
}

export function createForwarder(dependencies: ForwarderDependencies): Forwarder {
  const { monotonic, random, onMirrorLost } = dependencies;
  const tunnels = new Set<Tunnel>();

  function openTunnel(exchange: GatewayExchange, client: Duplex, upstream: Duplex): void {
    const { service } = exchange.target as ForwardTarget;
    const tunnel = joinTunnel(client, upstream, {
      idleTimeoutMs: service.timeouts.idleMs,
      onClosed: (bytesUp, bytesDown) => {
        tunnels.delete(tunnel);
        exchange.outcome.bytesIn += bytesUp;
        exchange.onClosed(true, bytesDown);
      },
    });
    tunnels.add(tunnel);
  }

  return {
    forward(exchange, fail) {
      const target = exchange.target as ForwardTarget;
      const { request } = exchange;
      exchange.service = target.service.name;
      if (request.transforms !== undefined && request.body !== undefined) {
        request.body = new TransformedBody(request.body, request.transforms);
      }
      const { mirrors } = exchange.compiledRoute!;
      if (mirrors.length > 0) sendMirrors(exchange, mirrors, random, onMirrorLost);
      const relay = new ResponseRelay(exchange, { monotonic, fail, tunnel: openTunnel });
      exchange.relay = relay;
      const callRequest = new ForwardCall(exchange, target);
      relay.handshakeKey = callRequest.handshakeKey;
      relay.call = target.service.call(callRequest, relay);
      // The client may have left while the call was being made.
      if (exchange.ended) relay.call.abort();
    },
    closeTunnels() {
      for (const tunnel of tunnels) tunnel.close(1001);
    },
  };
}
