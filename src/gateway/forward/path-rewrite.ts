/** Path rewrites, compiled once: canonical path and the prefix that matched in, path for the upstream out. */
import type { PathRewrite } from '../config/route-config.ts';
import { createLinearRegex } from '../routing/linear-regex.ts';

/** `matchedPrefix` is the prefix that the match entry matched; undefined for exact and regex matches. */
export type PathRewriter = (path: string, matchedPrefix: string | undefined) => string;

export function createPathRewriter(rewrite: PathRewrite): PathRewriter {
  switch (rewrite.kind) {
    case 'path':
      return () => rewrite.value;
    case 'prefix':
      return (path, matchedPrefix) => replacePrefix(path, matchedPrefix ?? path, rewrite.value);
    case 'strip-prefix':
      return (path) =>
        hasPrefix(path, rewrite.value) ? replacePrefix(path, rewrite.value, '/') : path;
    case 'regex': {
      const pattern = createLinearRegex(rewrite.value);
      return (path) => {
        const replaced = pattern.replaceAll(path, rewrite.replacement);
        return replaced.startsWith('/') ? replaced : `/${replaced}`;
      };
    }
    default:
      return rewrite satisfies never;
  }
}

/** Puts `replacement` in place of a leading `prefix`, with exactly one slash where they meet. */
export function replacePrefix(path: string, prefix: string, replacement: string): string {
  const rest = prefix === '/' ? path.slice(1) : path.slice(prefix.length + 1);
  const slashFollows = prefix === '/' ? path.length > 1 : path.length > prefix.length;
  if (replacement === '/') return `/${rest}`;
  return slashFollows ? `${replacement.replace(/\/$/, '')}/${rest}` : replacement;
}

function hasPrefix(path: string, prefix: string): boolean {
  return (
    prefix === '/' ||
    (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/'))
  );
}
