/** The doors that hostile bytes come in by: a plain socket, and one under TLS. */
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import { connectRaw, parseAnswer, RawClient } from '../../gateway/exchange/raw-client.ts';
import type { TestGateway } from '../gateway-fixture.ts';
import type { RecordingUpstream } from './recording-upstream.ts';

export const DOORS = ['http', 'https'] as const;
export type DoorName = (typeof DOORS)[number];

/** A connection to drive byte by byte; over TLS it speaks HTTP/1.1 by ALPN. */
export async function knock(gateway: TestGateway, door: DoorName = 'http'): Promise<RawClient> {
  if (door === 'http') return connectRaw(gateway.httpPort);
  const socket = dialTls(gateway);
  const client = new RawClient(socket);
  await once(socket, 'secureConnect');
  return client;
}

/** Not connected yet. */
export function dialTls(gateway: TestGateway): TLSSocket {
  return connectTls({
    port: gateway.httpsPort,
    host: '127.0.0.1',
    servername: 'localhost',
    ALPNProtocols: ['http/1.1'],
    // The gateway's own development certificate.
    rejectUnauthorized: false,
  });
}

/** One request on a connection of its own, and everything that came back. */
export async function ask(
  gateway: TestGateway,
  bytes: string,
  door: DoorName = 'http',
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  const client = await knock(gateway, door);
  return parseAnswer(await client.send(bytes).untilEnd());
}

/** Lines of a request that is right in every way. */
export function get(target: string, ...lines: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join(
    '\r\n',
  );
}

/**
 * Proves that of everything before the upstream has been sent nothing: a good request overtakes
 * nothing, so that when it has arrived alone, no other is still on its way.
 */
export async function expectNothingForwarded(
  gateway: TestGateway,
  upstream: RecordingUpstream,
): Promise<void> {
  expect((await ask(gateway, get('/sentinel'))).status).toBe(200);
  expect(upstream.targets).toEqual(['/sentinel']);
  expect(upstream.garbled).toEqual([]);
}

/** Field values of an answer's head, by name in lower case. */
export function fieldOf(head: string, name: string): string | undefined {
  const prefix = `${name}: `;
  const line = head.split('\r\n').find((each) => each.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length);
}
