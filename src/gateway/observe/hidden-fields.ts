/** What of a message is not shown to whoever watches traffic: credentials, by their names and by their looks. */
import { HIDDEN } from '../config/secret-text.ts';

/** Names that the configuration says carry secrets, in lower case. */
export interface SecretNames {
  readonly headers: ReadonlySet<string>;
  /** Of query parameters. */
  readonly queries: ReadonlySet<string>;
}

/** A longer value of a field is cut: it is for reading, and an event is bounded by it. */
const MAX_VALUE_LENGTH = 1024;

const SECRET_NAME =
  /(?:^|[-_.])auth(?:$|[-_.]|key|entic)|authori[sz]ation|cookie|token|secret|passw|pwd|(?:api|access|private|shared)[-_]?key|credential|session|signature|assertion|jwt/i;
/** In queries, names are shorter. */
const SECRET_QUERY_NAME = /^(?:code|key|pass|sig|ticket)$/i;
/** Challenges are for everybody to read, and what one wants to see of a 401. */
const CHALLENGES = new Set(['www-authenticate', 'proxy-authenticate']);
/** Browsers, which cannot set fields of a WebSocket, put tokens in here. */
const SMUGGLERS = new Set(['sec-websocket-protocol']);

/** A scheme and its credentials, a JWT, a token of the admin API. Anchored, so that it is linear. */
const SECRET_VALUE =
  /^(?:(?:bearer|basic|digest|negotiate)\s|(?:[a-z]+[ =:])?(?:eyJ[\w-]+\.[\w-]+\.|mg_[\w-]{20}))/i;

/** Fields whose values are addresses. */
const ADDRESSES = new Set([
  'referer',
  'location',
  'content-location',
  'link',
  'refresh',
  'x-original-uri',
  'x-original-url',
  'x-forwarded-uri',
  'x-rewrite-url',
]);

/** Names in lower case; lines of one name are joined (RFC 9110 §5.2). */
export function toShownFields(
  raw: readonly string[],
  secrets: SecretNames,
  withQueryValues: boolean,
): Readonly<Record<string, string>> {
  const shown = new Map<string, string>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = toShownValue(name, raw[i + 1]!, secrets, withQueryValues);
    const before = shown.get(name);
    // A hidden value says the same twice as once.
    if (before === undefined) shown.set(name, value);
    else if (value !== HIDDEN || before !== HIDDEN) shown.set(name, `${before}, ${value}`);
  }
  // Own properties whatever their names: `__proto__` is a legal one.
  return Object.fromEntries(shown);
}

function toShownValue(
  name: string,
  value: string,
  secrets: SecretNames,
  withQueryValues: boolean,
): string {
  if (isSecretField(name, secrets) || SECRET_VALUE.test(value)) return HIDDEN;
  const isLong = value.length > MAX_VALUE_LENGTH;
  const text = isLong ? `${value.slice(0, MAX_VALUE_LENGTH)}…` : value;
  return ADDRESSES.has(name) ? toShownAddress(text, secrets, withQueryValues) : text;
}

function isSecretField(name: string, { headers }: SecretNames): boolean {
  if (headers.has(name) || SMUGGLERS.has(name)) return true;
  return SECRET_NAME.test(name) && !CHALLENGES.has(name);
}

/** Fragments too: some log-ins hand tokens over in them. */
function toShownAddress(text: string, secrets: SecretNames, withQueryValues: boolean): string {
  return text.replaceAll(/[?#][^>\s"',;]*/g, (part) =>
    part.startsWith('#') ? `#${HIDDEN}` : toShownQuery(part, secrets, withQueryValues),
  );
}

/** `query` is as received, with its `?`; empty stays empty. Names are shown, values only if asked for. */
export function toShownQuery(
  query: string,
  secrets: SecretNames,
  withQueryValues: boolean,
): string {
  if (query.length < 2) return query;
  const pieces = query.slice(1).split('&');
  return `?${pieces.map((piece) => toShownPiece(piece, secrets, withQueryValues)).join('&')}`;
}

function toShownPiece(piece: string, { queries }: SecretNames, withQueryValues: boolean): string {
  const equals = piece.indexOf('=');
  // Without a name, who knows what it is.
  if (equals === -1) return piece === '' || withQueryValues ? piece : HIDDEN;
  const written = piece.slice(0, equals);
  if (withQueryValues && !isSecretParameter(decoded(written), piece.slice(equals + 1), queries)) {
    return piece;
  }
  return `${written}=${HIDDEN}`;
}

function isSecretParameter(name: string, value: string, queries: ReadonlySet<string>): boolean {
  return (
    queries.has(name.toLowerCase()) ||
    SECRET_NAME.test(name) ||
    SECRET_QUERY_NAME.test(name) ||
    SECRET_VALUE.test(value)
  );
}

/** As the plugins read it, so that no other spelling gets a credential past this. */
function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const [name = ''] = new URLSearchParams(`${text}=`).keys();
  return name;
}
