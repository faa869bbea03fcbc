/** Finds the one credential of a request, and takes it out before the upstream sees it. */
import type { ExchangeRequest } from './exchange.ts';

/** Where a credential is looked for: a header field, a cookie or a query parameter. */
export type CredentialSource =
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string };

/**
 * More than one was sent. The gateway would check one of them and the upstream might read
 * another, so nobody can say whose request it is: refuse it.
 */
export const AMBIGUOUS: unique symbol = Symbol('ambiguous credential');

/** The credential as sent, undefined where there is none, or `AMBIGUOUS`. */
export function findCredential(
  request: ExchangeRequest,
  source: CredentialSource,
): string | undefined | typeof AMBIGUOUS {
  const found =
    'header' in source
      ? request.headers.getAll(source.header)
      : 'cookie' in source
        ? cookieValues(request, source.cookie)
        : queryValues(request.query, source.query);
  return found.length > 1 ? AMBIGUOUS : found[0];
}

/** Takes every credential of that source out of the request. */
export function removeCredential(request: ExchangeRequest, source: CredentialSource): void {
  if ('header' in source) request.headers.remove(source.header);
  else if ('cookie' in source) removeCookie(request, source.cookie);
  else removeQueryParam(request, source.query);
}

/** HTTP/2 clients may send one line a cookie (RFC 9113 §8.2.3), so all lines are read. */
function cookieValues(request: ExchangeRequest, name: string): string[] {
  const values: string[] = [];
  for (const line of request.headers.getAll('cookie')) {
    for (const pair of line.split(';')) {
      if (cookieName(pair) === name)
        values.push(unquoted(pair.slice(pair.indexOf('=') + 1).trim()));
    }
  }
  return values;
}

function removeCookie(request: ExchangeRequest, name: string): void {
  const pairs = request.headers.getAll('cookie').flatMap((line) => line.split(';'));
  const kept = pairs.filter((pair) => cookieName(pair) !== name).map((pair) => pair.trim());
  if (kept.length === pairs.length) return;
  if (kept.every((pair) => pair === '')) request.headers.remove('cookie');
  else request.headers.set('cookie', kept.join('; '));
}

function cookieName(pair: string): string | undefined {
  const equals = pair.indexOf('=');
  return equals > 0 ? pair.slice(0, equals).trim() : undefined;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}

function queryValues(query: string, name: string): string[] {
  // The usual request has no query, and URLSearchParams is slow to make.
  return query === '' ? [] : new URLSearchParams(query).getAll(name);
}

/**
 * Leaves the other parameters byte for byte as they came: an upstream may check a signature over them.
 * `/a` and `/a?` are different targets (RFC 3986 §6.2.3): a bare `?` is neither added nor taken away.
 */
function removeQueryParam(request: ExchangeRequest, name: string): void {
  const pieces = request.query.slice(1).split('&');
  const kept = pieces.filter((piece) => !new URLSearchParams(`?${piece}`).has(name));
  if (kept.length === pieces.length) return;
  const left = kept.join('&');
  request.query = left === '' ? '' : `?${left}`;
}
