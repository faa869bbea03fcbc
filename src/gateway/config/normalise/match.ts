/** Match entries: every form that `match` may have, as one list of entries. */
import { METHODS } from 'node:http';
import { TOKEN } from '../../../plugins/sdk/field-syntax.ts';
import type { FieldMatch, MatchEntry } from '../route-config.ts';
import type { ConfigPath } from '../config-path.ts';
import { nearestNameHint } from '../nearest-name.ts';
import type { RawCondition, RawMatch } from '../schema/match.ts';
import type { RawRoute } from '../schema/route.ts';
import { mapPresent, type Draft } from './draft.ts';
import { toHosts } from './host.ts';
import { toPathMatch } from './path.ts';
import { checkRegex } from './regex.ts';

/** Those of WebDAV and its like too. */
const KNOWN_METHODS = new Set(METHODS);
const STANDARD_METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

/** No `match` at all is one entry that everything meets. */
export function toMatchEntries(
  draft: Draft,
  raw: RawRoute['match'],
  path: ConfigPath,
): readonly MatchEntry[] {
  if (Array.isArray(raw)) {
    return mapPresent(raw, path, (entry, place) => toMatchEntry(draft, entry, place));
  }
  return [toMatchEntry(draft, raw ?? {}, path)];
}

function toMatchEntry(draft: Draft, raw: RawMatch, path: ConfigPath): MatchEntry {
  const headers = toConditions(draft, raw.headers, [...path, 'headers']);
  const seen = new Set<string>();
  for (const { name } of headers) {
    const place = [...path, 'headers', name];
    if (!TOKEN.test(name)) {
      draft.report(place, `${JSON.stringify(name)} is no header field name`, { at: 'key' });
    } else if (seen.has(name.toLowerCase())) {
      draft.report(place, 'the same header field stands here twice', { at: 'key' });
    }
    seen.add(name.toLowerCase());
  }
  return {
    hosts: toHosts(draft, raw.hosts, [...path, 'hosts']),
    path: toPathMatch(draft, raw.path, [...path, 'path']),
    methods: toMethods(draft, raw.methods, [...path, 'methods']),
    headers: headers.map((header) => ({ ...header, name: header.name.toLowerCase() })),
    query: toConditions(draft, raw.query, [...path, 'query']),
  };
}

function toMethods(
  draft: Draft,
  methods: readonly string[] | undefined,
  path: ConfigPath,
): readonly string[] {
  const checked = mapPresent(methods, path, (method, place) => {
    const upper = method.toUpperCase();
    if (method !== upper && STANDARD_METHODS.has(upper)) {
      draft.report(place, `${JSON.stringify(method)} is no method`, {
        hint: `write ${upper}: methods are case-sensitive`,
      });
    } else if (!KNOWN_METHODS.has(method)) {
      draft.report(place, `${JSON.stringify(method)} is no method that HTTP knows`, {
        severity: 'warning',
        hint: nearestNameHint(method, KNOWN_METHODS),
      });
    }
    return method;
  });
  return [...new Set(checked)];
}

function toConditions(
  draft: Draft,
  raw: Readonly<Record<string, RawCondition>> | undefined,
  path: ConfigPath,
): readonly FieldMatch[] {
  if (raw === undefined) return [];
  return Object.entries(raw).map(([name, condition]) => {
    if (typeof condition === 'string') return { name, kind: 'exact', value: condition };
    if (condition.regex !== undefined) {
      checkRegex(draft, condition.regex, [...path, name, 'regex']);
      return { name, kind: 'regex', value: condition.regex };
    }
    if (condition.exact !== undefined) return { name, kind: 'exact', value: condition.exact };
    return { name, kind: 'present', value: '' };
  });
}
