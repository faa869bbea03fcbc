/** The cookie that keeps a browser on its endpoint: taken from the request, given with the answer. */
import type { StickySessions } from '../../mesh/balancing/sticky-sessions.ts';
import type { Endpoint } from '../../mesh/endpoint.ts';
import { removeCredential } from '../../plugins/sdk/credential.ts';
import type { StickyConfig } from '../config/balancer-config.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';

/** A service's cookie, compiled. */
export interface StickyCookie {
  readonly name: string;
  /** After the value, but for `Secure`. */
  readonly attributes: string;
  readonly sessions: StickySessions;
}

export function createStickyCookie(
  { cookie, maxAgeMs }: StickyConfig,
  sessions: StickySessions,
): StickyCookie {
  const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.ceil(maxAgeMs / 1000)}`;
  return { name: cookie, attributes: `; Path=/${age}; HttpOnly; SameSite=Lax`, sessions };
}

/** The endpoint that the request's cookie names, if any. The cookie is ours, so it goes no further. */
export function takeSession(
  { request }: GatewayExchange,
  sticky: StickyCookie,
): Endpoint | undefined {
  const token = request.cookie(sticky.name);
  if (token === undefined) return undefined;
  removeCredential(request, { cookie: sticky.name });
  return sticky.sessions.endpointOf(token);
}

/** Names the endpoint that answered, unless the client's cookie does so already. */
export function giveSession(
  exchange: GatewayExchange,
  sticky: StickyCookie,
  endpoint: Endpoint,
  pinned: Endpoint | undefined,
): void {
  if (endpoint === pinned) return;
  const { request, response, provenance } = exchange;
  const isSecure = (provenance.forwardedProto ?? request.scheme) === 'https';
  const token = sticky.sessions.tokenOf(endpoint);
  const value = `${sticky.name}=${token}${sticky.attributes}${isSecure ? '; Secure' : ''}`;
  response.headers.rest.push('Set-Cookie', value);
}
