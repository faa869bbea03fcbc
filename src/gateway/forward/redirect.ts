/** Answers that send the client elsewhere: a route's redirect, and HTTP to HTTPS. */
import { answer, type Answer } from '../../plugins/sdk/answer.ts';
import type { RedirectConfig } from '../config/route-config.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { replacePrefix } from './path-rewrite.ts';

/** `matchedPrefix` is the prefix that the match entry matched, for a redirect by prefix. */
export function toRedirect(
  exchange: GatewayExchange,
  redirect: RedirectConfig,
  matchedPrefix: string | undefined,
): Answer {
  const { request, provenance, intake } = exchange;
  const clientScheme = provenance.forwardedProto === 'https' ? 'https' : request.scheme;
  const scheme = redirect.scheme ?? clientScheme;
  const port =
    redirect.port ??
    (redirect.scheme === undefined
      ? toPort(provenance.forwardedPort, intake.connection.listener.port)
      : defaultPort(scheme));
  let { path } = request;
  if (redirect.path?.kind === 'path') path = redirect.path.value;
  else if (redirect.path?.kind === 'prefix') {
    path = replacePrefix(path, matchedPrefix ?? path, redirect.path.value);
  }
  const origin = toOrigin(scheme, redirect.host ?? request.host, port);
  return answer(redirect.status, { headers: { location: `${origin}${path}${request.query}` } });
}

/** Sends a request of a plain listener to its HTTPS sibling, method and body kept. */
export function toHttpsRedirect(exchange: GatewayExchange, port: number, status: number): Answer {
  const { request } = exchange;
  const origin = toOrigin('https', request.host, port);
  return answer(status, { headers: { location: `${origin}${request.path}${request.query}` } });
}

function toOrigin(scheme: string, host: string, port: number): string {
  // Left out where it is the scheme's own, as browsers write origins.
  const suffix = port === defaultPort(scheme) ? '' : `:${port}`;
  return `${scheme}://${host}${suffix}`;
}

/** A trusted proxy may still say nonsense, which no Location should repeat. */
function toPort(text: string | undefined, otherwise: number): number {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : otherwise;
}

function defaultPort(scheme: string): number {
  return scheme === 'https' ? 443 : 80;
}
