/** Paths of a configuration, in the form that requests are compared in. */
import { canonicalConfiguredPath, PathRefusal } from '../../routing/canonical-path.ts';
import type { PathMatch } from '../route-config.ts';
import type { ConfigPath } from '../config-path.ts';
import type { RawMatch } from '../schema/match.ts';
import type { Draft } from './draft.ts';
import { checkRegex } from './regex.ts';

const EVERY_PATH: PathMatch = Object.freeze({ kind: 'prefix', value: '/' });

/** A match's `path`, in any of its forms. */
export function toPathMatch(draft: Draft, raw: RawMatch['path'], path: ConfigPath): PathMatch {
  if (raw === undefined) return EVERY_PATH;
  if (typeof raw === 'string') return fromText(draft, raw, path);
  if (raw.regex !== undefined) {
    checkRegex(draft, raw.regex, [...path, 'regex']);
    return { kind: 'regex', value: raw.regex };
  }
  if (raw.exact !== undefined) {
    return { kind: 'exact', value: toCanonicalPath(draft, raw.exact, [...path, 'exact']) };
  }
  const prefix = raw.prefix ?? '/';
  if (prefix.endsWith('/*')) {
    draft.report([...path, 'prefix'], 'a prefix needs no "/*"', {
      hint: `write ${JSON.stringify(prefix.slice(0, -2) || '/')}`,
    });
  }
  return { kind: 'prefix', value: toPrefix(draft, prefix, [...path, 'prefix']) };
}

/** Without a trailing slash, but for `/` itself. */
export function toPrefix(draft: Draft, text: string, path: ConfigPath): string {
  const canonical = toCanonicalPath(draft, text, path);
  return canonical !== '/' && canonical.endsWith('/') ? canonical.slice(0, -1) : canonical;
}

export function toCanonicalPath(draft: Draft, text: string, path: ConfigPath): string {
  const canonical = canonicalConfiguredPath(text);
  if (!(canonical instanceof PathRefusal)) return canonical;
  draft.report(path, `no request can have this path: ${canonical.detail}`);
  return text;
}

/** Whether `path` is `prefix` or below it, by whole segments. */
export function isBelow(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

function fromText(draft: Draft, text: string, path: ConfigPath): PathMatch {
  const isPrefix = text.endsWith('/*');
  const written = isPrefix ? text.slice(0, -1) : text;
  if (written.includes('*')) {
    draft.report(path, 'a "*" can only stand alone at the end, as in "/orders/*"', {
      hint: /^[^*]*[^*/]\*$/.test(text)
        ? `did you mean ${JSON.stringify(`${text.slice(0, -1)}/*`)}?`
        : 'use { regex: … } for patterns, { exact: … } for a path with a star',
    });
  }
  if (!isPrefix) return { kind: 'exact', value: toCanonicalPath(draft, written, path) };
  return { kind: 'prefix', value: toPrefix(draft, written, path) };
}
