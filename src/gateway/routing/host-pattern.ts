/** The hosts that a match entry names: one exactly, a wildcard, or any. */
import { domainToASCII } from 'node:url';

export interface HostPattern {
  readonly kind: 'exact' | 'wildcard' | 'any';
  /** The name; for a wildcard what follows its `*`, dot included; empty for any. */
  readonly name: string;
}

const ANY_HOST: HostPattern = Object.freeze({ kind: 'any', name: '' });

/** `api.example.com`, `*.example.com`, or `*`; in any case, with or without a trailing dot. */
export function parseHostPattern(text: string): HostPattern {
  if (text === '*') return ANY_HOST;
  if (text.startsWith('*.')) return { kind: 'wildcard', name: `.${normaliseName(text.slice(2))}` };
  return { kind: 'exact', name: normaliseName(text) };
}

/** Whether a host, in lower case and without port, is one that the pattern names. */
export function admitsHost(pattern: HostPattern, host: string): boolean {
  if (pattern.kind === 'any') return true;
  if (pattern.kind === 'exact') return host === pattern.name;
  return host.length > pattern.name.length && host.endsWith(pattern.name);
}

/** As it stands in a configuration. */
export function hostPatternText(pattern: HostPattern): string {
  return pattern.kind === 'exact' ? pattern.name : `*${pattern.name}`;
}

function normaliseName(name: string): string {
  const lower = name.toLowerCase();
  const bare = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  // Requests carry the ASCII form of an international name (RFC 5891 §4.4).
  return domainToAsciiOrSelf(bare);
}

function domainToAsciiOrSelf(name: string): string {
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) >= 0x80) return domainToASCII(name) || name;
  }
  return name;
}
