/** An issuer of tokens for tests: its keys, what it signs, and a server that publishes its key set. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { PluginContext } from '../../../src/plugins/sdk/plugin.ts';
import type { TestClock } from '../fixtures.ts';

export const ISSUER = 'https://id.example.com';
export const AUDIENCE = 'orders';

export interface SigningKey {
  readonly algorithm: string;
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function createSigningKey(
  algorithm: string,
  id: string,
  options: { readonly modulusLength?: number } = {},
): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, {
    extractable: true,
    ...options,
  });
  const publicJwk = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' };
  return { algorithm, id, privateKey, publicJwk };
}

/** A token that expires in an hour, unless the claims say otherwise; a claim set to undefined is left out. */
export function signToken(
  key: Pick<SigningKey, 'algorithm' | 'id'> & { readonly privateKey: CryptoKey | Uint8Array },
  clock: TestClock,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const seconds = Math.floor(clock.now() / 1000);
  const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: seconds + 3600, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.algorithm, kid: key.id, ...header })
    .sign(key.privateKey);
}

export interface JwksServer {
  readonly url: string;
  /** What it serves; `undefined` is an outage: the connection is cut. */
  document: unknown;
  /** Requests so far. */
  requests: number;
  close(): Promise<void>;
}

export async function startJwksServer(keys: readonly SigningKey[]): Promise<JwksServer> {
  const server: Server = createServer((request, response) => {
    published.requests += 1;
    if (published.document === undefined) {
      request.socket.destroy();
      return;
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(published.document));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const published: JwksServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    document: keySet(keys),
    requests: 0,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return published;
}

export function keySet(keys: readonly SigningKey[]): { keys: JWK[] } {
  return { keys: keys.map(({ publicJwk }) => publicJwk) };
}

/** Fetches as the gateway does, without its check of addresses. A function of its own each time: it is what key sources are shared by. */
export function createFetchJson(): PluginContext['fetchJson'] {
  return async (url, options) => {
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(options?.timeoutMs ?? 5000),
    });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    return response.json();
  };
}
