/** Sticky sessions: the token of an endpoint that a client's cookie carries, and the way back. */
import { createHmac } from 'node:crypto';
import type { Endpoint } from '../endpoint.ts';

export interface StickySessions {
  /** The endpoint of a token that this service gave out; undefined where there is none, or it has left. */
  endpointOf(token: string): Endpoint | undefined;
  tokenOf(endpoint: Endpoint): string;
  update(endpoints: readonly Endpoint[]): void;
}

/** 132 bits: nobody guesses one. */
const TOKEN_CHARACTERS = 22;

/**
 * A token is a keyed hash of service and endpoint id. It tells a client nothing, cannot be made
 * without the key, is the same on every node that has the key, and costs a look-up to check.
 */
export function createStickySessions(service: string, key: string | Uint8Array): StickySessions {
  const tokens = new WeakMap<Endpoint, string>();
  let byToken: ReadonlyMap<string, Endpoint> = new Map();

  function tokenOf(endpoint: Endpoint): string {
    let token = tokens.get(endpoint);
    if (token === undefined) {
      token = createHmac('sha256', key)
        .update(JSON.stringify([service, endpoint.id]))
        .digest('base64url')
        .slice(0, TOKEN_CHARACTERS);
      tokens.set(endpoint, token);
    }
    return token;
  }

  return {
    endpointOf: (token) => byToken.get(token),
    tokenOf,
    update(endpoints) {
      byToken = new Map(endpoints.map((endpoint) => [tokenOf(endpoint), endpoint]));
    },
  };
}
