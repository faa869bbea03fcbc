/** Short ways to write route tables and requests in tests. */
import type { FieldMatch, MatchEntry } from '../../../src/gateway/config/route-config.ts';
import { HeaderFields } from '../../../src/plugins/sdk/header-fields.ts';
import type { Routable, RouteSpec } from '../../../src/gateway/routing/route-spec.ts';

/** A match entry; what is left out is any. */
export function entry(parts: Partial<MatchEntry> = {}): MatchEntry {
  return {
    hosts: [],
    path: { kind: 'prefix', value: '/' },
    methods: [],
    headers: [],
    query: [],
    ...parts,
  };
}

export function exact(value: string): MatchEntry['path'] {
  return { kind: 'exact', value };
}

export function prefix(value: string): MatchEntry['path'] {
  return { kind: 'prefix', value };
}

export function regex(value: string): MatchEntry['path'] {
  return { kind: 'regex', value };
}

export function field(name: string, value: string): FieldMatch {
  return { name, kind: 'exact', value };
}

export function fieldRegex(name: string, value: string): FieldMatch {
  return { name, kind: 'regex', value };
}

export function present(name: string): FieldMatch {
  return { name, kind: 'present', value: '' };
}

/** A route whose value is its name. */
export function route(name: string, ...matches: MatchEntry[]): RouteSpec<string> {
  return { name, priority: 0, matches, value: name };
}

/** A GET of `/` unless the parts say otherwise; `headers` is the flat list. */
export function request(
  parts: Partial<Omit<Routable, 'headers'>> & { readonly headers?: string[] } = {},
): Routable {
  return {
    method: 'GET',
    host: 'api.example.com',
    path: '/',
    query: '',
    ...parts,
    headers: new HeaderFields(parts.headers),
  };
}
