/** Splits an absolute-form request target, as clients send it to a proxy (RFC 9112 §3.2.2). */
import { codeAt } from '../../mesh/transport/octets.ts';

export interface AbsoluteForm {
  readonly scheme: 'http' | 'https';
  /** Not checked yet; for `parseAuthority`. Never empty. */
  readonly authority: string;
  /** Path and query, not normalised yet; for `canonicalTarget`. An empty path is `/`. */
  readonly originForm: string;
}

/** Undefined for anything but `http://…` and `https://…` with an authority. */
export function splitAbsoluteForm(target: string): AbsoluteForm | undefined {
  const colon = target.indexOf(':');
  if (colon !== 4 && colon !== 5) return undefined;
  const scheme = target.slice(0, colon).toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  if (!target.startsWith('//', colon + 1)) return undefined;
  const start = colon + 3;
  const end = authorityEnd(target, start);
  if (end === start) return undefined;
  const rest = target.slice(end);
  return {
    scheme,
    authority: target.slice(start, end),
    originForm: codeAt(rest, 0) === 0x2f ? rest : `/${rest}`,
  };
}

/** A backslash does not end it: it stays in the authority, where no host may have one. */
function authorityEnd(target: string, start: number): number {
  for (let i = start; i < target.length; i++) {
    const code = codeAt(target, i);
    if (code === 0x2f || code === 0x3f || code === 0x23) return i;
  }
  return target.length;
}
