/** The one normal form of a request's path: what routing, plugins and the upstream all see. */
import { codeAt, cut } from '../../mesh/transport/octets.ts';

export interface CanonicalTarget {
  /** Begins with `/`; or `*` alone, the asterisk-form of OPTIONS (RFC 9112 §3.2.4). */
  readonly path: string;
  /** With its `?`, as received; empty where there is none. */
  readonly query: string;
  /** The path held `%2F` or `%5C` as it came: refuse it unless the route allows them. */
  readonly encodedSlash: boolean;
}

export type PathFault =
  | 'not-origin-form'
  | 'forbidden-character'
  | 'fragment'
  | 'malformed-escape'
  | 'encoded-nul'
  | 'above-root'
  | 'disguised-dot-segment';

/** Why a target has no normal form that every reader would agree on. */
export class PathRefusal {
  readonly fault: PathFault;
  /** One sentence for the caller. */
  readonly detail: string;

  constructor(fault: PathFault, detail: string) {
    this.fault = fault;
    this.detail = detail;
  }
}

const NOT_ORIGIN_FORM = new PathRefusal(
  'not-origin-form',
  'The request target does not begin with a slash.',
);
const FORBIDDEN_CHARACTER = new PathRefusal(
  'forbidden-character',
  'The request target has a control character or a space.',
);
const FRAGMENT = new PathRefusal('fragment', 'The request target has a fragment.');
const MALFORMED_ESCAPE = new PathRefusal(
  'malformed-escape',
  'The path has a percent sign that no two hexadecimal digits follow.',
);
const ENCODED_NUL = new PathRefusal('encoded-nul', 'The path has an encoded NUL.');
const ABOVE_ROOT = new PathRefusal('above-root', 'The path climbs above the root.');
const DISGUISED_DOT_SEGMENT = new PathRefusal(
  'disguised-dot-segment',
  'The path has a dot segment in disguise.',
);

const SLASH = 0x2f;
const DOT = 0x2e;
const QUESTION_MARK = 0x3f;
const SEMICOLON = 0x3b;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const HASH = 0x23;

/** A `pchar` of RFC 3986 §3.3 but for the percent sign: stays as it is. */
const PLAIN = 0;
/** Has another normal form, at least sometimes. */
const TO_NORMALISE = 1;
const SEPARATOR = 2;
const QUERY_START = 3;
const FORBIDDEN = 4;

const CHARACTER_CLASS = new Uint8Array(256).fill(TO_NORMALISE);
CHARACTER_CLASS.fill(FORBIDDEN, 0, 0x21);
CHARACTER_CLASS[0x7f] = FORBIDDEN;
CHARACTER_CLASS[HASH] = FORBIDDEN;
CHARACTER_CLASS[SLASH] = SEPARATOR;
CHARACTER_CLASS[QUESTION_MARK] = QUERY_START;
const UNRESERVED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~';
for (const character of `${UNRESERVED}!$&'()*+,;=:@`) {
  CHARACTER_CLASS[character.charCodeAt(0)] = PLAIN;
}

/** What a byte that was escaped becomes: itself, or its escape in upper case. */
const UNESCAPED = Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code);
  return UNRESERVED.includes(character) ? character : escapeOf(code);
});
/** What a byte that stands for itself becomes. */
const WRITTEN = Array.from({ length: 256 }, (_, code) => {
  if (code === BACKSLASH) return '/';
  return CHARACTER_CLASS[code] === TO_NORMALISE ? escapeOf(code) : String.fromCharCode(code);
});

/**
 * Brings an origin-form target, as received in latin1, into its normal form; or says why it
 * has none. A target that is normal already comes back as the same string.
 *
 * The path: `\` counts as `/`; escapes of unreserved characters are decoded and the hex of the
 * others is upper case (RFC 3986 §6.2.2); what may not stand in a path is escaped; slashes are
 * merged; dot segments are removed (§5.2.4). Merging comes first, so `/a//../b` is `/b`.
 * The query is only checked.
 */
export function canonicalTarget(rawTarget: string): CanonicalTarget | PathRefusal {
  if (codeAt(rawTarget, 0) !== SLASH) {
    return rawTarget === '*' ? { path: '*', query: '', encodedSlash: false } : NOT_ORIGIN_FORM;
  }
  const { length } = rawTarget;
  let normal = true;
  let pathEnd = length;
  let i = 0;
  for (; i < length; i++) {
    const kind = CHARACTER_CLASS[codeAt(rawTarget, i)];
    if (kind === PLAIN) continue;
    if (kind === SEPARATOR) {
      if (normal && needsWorkAfterSlash(rawTarget, i + 1)) normal = false;
    } else if (kind === QUERY_START) {
      pathEnd = i;
      break;
    } else if (kind === TO_NORMALISE) {
      normal = false;
    } else {
      return refusalOf(codeAt(rawTarget, i));
    }
  }
  for (i++; i < length; i++) {
    // An undefined class is a character above 0xFF, which no byte of a request can be.
    if ((CHARACTER_CLASS[codeAt(rawTarget, i)] ?? FORBIDDEN) === FORBIDDEN) {
      return refusalOf(codeAt(rawTarget, i));
    }
  }
  const path = pathEnd === length ? rawTarget : cut(rawTarget, 0, pathEnd);
  const query = pathEnd === length ? '' : cut(rawTarget, pathEnd);
  if (normal) return { path, query, encodedSlash: false };
  return normalise(path, query);
}

/**
 * The normal form of a path written in a configuration, in Unicode: routes are compared with
 * requests in this form. A `?` would begin a query and is refused with the rest.
 */
export function canonicalConfiguredPath(configured: string): string | PathRefusal {
  const bytes = Buffer.from(configured, 'utf8').toString('latin1');
  if (bytes.includes('?') || bytes === '*') return NOT_ORIGIN_FORM;
  const target = canonicalTarget(bytes);
  return target instanceof PathRefusal ? target : target.path;
}

function refusalOf(code: number): PathRefusal {
  return code === HASH ? FRAGMENT : FORBIDDEN_CHARACTER;
}

/** Whether an empty segment, or what might be a dot segment, begins at `i`. */
function needsWorkAfterSlash(target: string, i: number): boolean {
  let code = codeAt(target, i);
  if (code === SLASH) return true;
  if (code !== DOT) return false;
  code = codeAt(target, i + 1);
  if (code === DOT) code = codeAt(target, i + 2);
  // NaN: the target ends here.
  return (
    code === SLASH ||
    code === QUESTION_MARK ||
    code === SEMICOLON ||
    code === PERCENT ||
    code === BACKSLASH ||
    Number.isNaN(code)
  );
}

function normalise(path: string, query: string): CanonicalTarget | PathRefusal {
  const escaped = normaliseEscapes(path);
  if (escaped instanceof PathRefusal) return escaped;
  const encodedSlash = escaped.includes('%2F') || escaped.includes('%5C');
  const resolved = removeDotSegments(escaped);
  if (resolved instanceof PathRefusal) return resolved;
  return { path: resolved, query, encodedSlash };
}

function normaliseEscapes(path: string): string | PathRefusal {
  let text = '';
  for (let i = 0; i < path.length; i++) {
    const code = codeAt(path, i);
    if (code !== PERCENT) {
      text += WRITTEN[code]!;
      continue;
    }
    const high = hexDigit(codeAt(path, i + 1));
    const low = hexDigit(codeAt(path, i + 2));
    if (high === -1 || low === -1) return MALFORMED_ESCAPE;
    if (high === 0 && low === 0) return ENCODED_NUL;
    text += UNESCAPED[high * 16 + low]!;
    i += 2;
  }
  return text;
}

/**
 * A dot segment to some readers and not to others. Tomcat and its kin strip `;x` before they
 * resolve `..`, so `/a/..;/b` is `/b` to them; and where a route lets `%2F` through, an
 * upstream that decodes it sees `/a/../b` in `/a/..%2Fb`.
 */
const DISGUISED = /(?:^|%2F|%5C)\.{1,2}(?:$|;|%3B|%2F|%5C)/;

function removeDotSegments(path: string): string | PathRefusal {
  const segments = path.split('/');
  const kept: string[] = [];
  let trailingSlash = false;
  // The first is empty: the path begins with a slash.
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i]!;
    trailingSlash = segment === '' || segment === '.' || segment === '..';
    if (segment === '..') {
      if (kept.pop() === undefined) return ABOVE_ROOT;
    } else if (!trailingSlash) {
      if (DISGUISED.test(segment)) return DISGUISED_DOT_SEGMENT;
      kept.push(segment);
    }
  }
  if (kept.length === 0) return '/';
  return `/${kept.join('/')}${trailingSlash ? '/' : ''}`;
}

function escapeOf(code: number): string {
  return `%${code < 16 ? '0' : ''}${code.toString(16).toUpperCase()}`;
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
