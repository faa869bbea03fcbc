/** What a request is rewritten to, where it is redirected to, and what answers it without a service. */
import { FORBIDDEN_IN_VALUE, TOKEN } from '../../../plugins/sdk/field-syntax.ts';
import { parseAuthority } from '../../routing/host-name.ts';
import type {
  MatchEntry,
  PathRewrite,
  RedirectConfig,
  RespondConfig,
  RewriteConfig,
} from '../route-config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawRedirect, RawRespond, RawRewrite } from '../schema/rewrite.ts';
import type { Draft } from './draft.ts';
import { isBelow, toCanonicalPath, toPrefix } from './path.ts';
import { checkRegex, checkReplacement } from './regex.ts';

const WAYS = ['path', 'prefix', 'stripPrefix', 'regex'] as const;

export function toRewrite(
  draft: Draft,
  raw: RawRewrite | undefined,
  path: ConfigPath,
  matches: readonly MatchEntry[],
): RewriteConfig | undefined {
  if (raw === undefined) return undefined;
  const [first, second] = WAYS.filter((way) => raw[way] !== undefined);
  if (second !== undefined) {
    draft.report([...path, second], `"${second}" cannot stand beside "${first}"`, {
      at: 'key',
      hint: 'a path is rewritten in one way',
    });
  }
  if (raw.regex === undefined && raw.replacement !== undefined) {
    draft.report([...path, 'replacement'], '"replacement" needs "regex"', {
      at: 'key',
      absent: [...path, 'regex'],
    });
  }
  if (raw.host !== undefined && parseAuthority(raw.host) === undefined) {
    draft.report([...path, 'host'], `${JSON.stringify(raw.host)} is no host name`);
  }
  return { path: toPathRewrite(draft, raw, path, matches), host: raw.host };
}

function toPathRewrite(
  draft: Draft,
  raw: RawRewrite,
  path: ConfigPath,
  matches: readonly MatchEntry[],
): PathRewrite | undefined {
  if (raw.path !== undefined) {
    return { kind: 'path', value: toCanonicalPath(draft, raw.path, [...path, 'path']) };
  }
  if (raw.prefix !== undefined) {
    checkPrefixMatches(draft, matches, [...path, 'prefix']);
    return { kind: 'prefix', value: toPrefix(draft, raw.prefix, [...path, 'prefix']) };
  }
  if (raw.stripPrefix !== undefined) {
    const value = toPrefix(draft, raw.stripPrefix, [...path, 'stripPrefix']);
    if (checkPrefixMatches(draft, matches, [...path, 'stripPrefix'])) {
      checkStripped(draft, value, matches, [...path, 'stripPrefix']);
    }
    return { kind: 'strip-prefix', value };
  }
  if (raw.regex === undefined) return undefined;
  const valid = checkRegex(draft, raw.regex, [...path, 'regex']);
  if (raw.replacement === undefined) {
    draft.report([...path, 'regex'], '"regex" needs "replacement"', {
      at: 'key',
      absent: [...path, 'replacement'],
    });
  } else if (valid) {
    checkReplacement(draft, raw.regex, raw.replacement, [...path, 'replacement']);
  }
  return { kind: 'regex', value: raw.regex, replacement: raw.replacement ?? '' };
}

/** A prefix can be replaced or removed only where one was matched. */
function checkPrefixMatches(
  draft: Draft,
  matches: readonly MatchEntry[],
  path: ConfigPath,
): boolean {
  const other = matches.find((match) => match.path.kind !== 'prefix');
  if (other === undefined) return true;
  const way = JSON.stringify(path.at(-1));
  const { kind } = other.path;
  draft.report(path, `${way} needs a prefix match, but the route matches by ${kind} path`, {
    at: 'key',
    hint: 'match a path that ends in "/*"',
  });
  return false;
}

function checkStripped(
  draft: Draft,
  prefix: string,
  matches: readonly MatchEntry[],
  path: ConfigPath,
): void {
  for (const match of matches) {
    const { value } = match.path;
    if (isBelow(value, prefix) || isBelow(prefix, value)) continue;
    draft.report(path, `no path below ${value} begins with ${prefix}`, {
      hint: `the route matches ${value}/*`,
    });
    return;
  }
}

export function toRedirect(
  draft: Draft,
  raw: RawRedirect,
  path: ConfigPath,
  matches: readonly MatchEntry[],
): RedirectConfig {
  const { scheme, host, port } = raw;
  if (raw.path !== undefined && raw.prefix !== undefined) {
    draft.report([...path, 'prefix'], '"prefix" cannot stand beside "path"', { at: 'key' });
  }
  const parts = [scheme, host, port, raw.path, raw.prefix];
  if (parts.every((part) => part === undefined)) {
    draft.report(path, 'redirects to where the request came from', {
      hint: 'give scheme, host, port, path or prefix',
    });
  }
  if (host !== undefined) checkRedirectHost(draft, host, [...path, 'host']);
  return {
    scheme,
    host,
    port,
    path: toRedirectPath(draft, raw, path, matches),
    status: raw.status,
  };
}

function checkRedirectHost(draft: Draft, host: string, path: ConfigPath): void {
  const parsed = parseAuthority(host);
  if (parsed === undefined) {
    draft.report(path, `${JSON.stringify(host)} is no host name`);
  } else if (parsed.port !== undefined) {
    draft.report(path, `${JSON.stringify(host)} has a port`, { hint: 'give it as "port"' });
  }
}

function toRedirectPath(
  draft: Draft,
  raw: RawRedirect,
  path: ConfigPath,
  matches: readonly MatchEntry[],
): RedirectConfig['path'] {
  if (raw.path !== undefined) {
    return { kind: 'path', value: toCanonicalPath(draft, raw.path, [...path, 'path']) };
  }
  if (raw.prefix === undefined) return undefined;
  checkPrefixMatches(draft, matches, [...path, 'prefix']);
  return { kind: 'prefix', value: toPrefix(draft, raw.prefix, [...path, 'prefix']) };
}

/** Framing and connections are the gateway's own business. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);
const BODILESS = new Set([204, 205, 304]);

export function toRespond(draft: Draft, raw: RawRespond, path: ConfigPath): RespondConfig {
  for (const [name, value] of Object.entries(raw.headers)) {
    const place = [...path, 'headers', name];
    if (!TOKEN.test(name)) {
      draft.report(place, `${JSON.stringify(name)} is no header field name`, { at: 'key' });
    } else if (RESERVED.has(name.toLowerCase())) {
      draft.report(place, `${name} is set by the gateway itself`, { at: 'key', hint: 'remove it' });
    }
    if (FORBIDDEN_IN_VALUE.test(value)) {
      draft.report(place, 'has a character that no header field may have');
    }
  }
  if (BODILESS.has(raw.status) && raw.body !== '') {
    draft.report([...path, 'body'], `an answer with status ${raw.status} has no body`);
  }
  return { status: raw.status, headers: Object.entries(raw.headers).flat(), body: raw.body };
}
