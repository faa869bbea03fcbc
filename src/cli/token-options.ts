/** How a token's expiry and scope are written on the command line. */
import { SCOPED_KINDS, type Scope, type ScopedKind } from '../admin/access/scope.ts';

/** What is wrong, in words for whoever wrote it. */
export interface OptionFault {
  readonly fault: string;
}

const SECONDS = { m: 60, h: 3_600, d: 86_400 } as const;

/** Empty where nothing is said: the API has its default. */
export function parseExpiry(
  text: string | undefined,
): OptionFault | { readonly expires_in_seconds?: number | null } {
  if (text === undefined) return {};
  if (text === 'never') return { expires_in_seconds: null };
  const match = /^([0-9]{1,6})([mhd])$/.exec(text);
  if (match === null) return { fault: `not a duration such as 12h or 30d, nor "never": ${text}` };
  return { expires_in_seconds: Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] };
}

/** Empty where nothing is said: everything. */
export function parseScope(
  prefixes: readonly string[] = [],
  labels: readonly string[] = [],
): OptionFault | { readonly scope?: Scope } {
  const scope: Scope = {};
  for (const text of prefixes) {
    const [kind, names] = splitAt(text, '=');
    if (!isKind(kind)) return notKind(kind);
    const rule = (scope[kind] ??= {});
    if (names === undefined) continue;
    const list = names.split(',');
    if (list.includes('')) return { fault: `a beginning of names is empty: ${text}` };
    rule.prefixes = [...(rule.prefixes ?? []), ...list];
  }
  for (const text of labels) {
    const [kind, label = ''] = splitAt(text, ':');
    if (!isKind(kind)) return notKind(kind);
    const [key, value] = splitAt(label, '=');
    if (key === '' || value === undefined) return { fault: `not KIND:KEY=VALUE: ${text}` };
    const rule = (scope[kind] ??= {});
    rule.labels = { ...rule.labels, [key]: value };
  }
  return Object.keys(scope).length === 0 ? {} : { scope };
}

export function toScopeText(scope: Scope | null): string {
  if (scope === null) return '-';
  return SCOPED_KINDS.flatMap((kind) => {
    const rule = scope[kind];
    if (rule === undefined) return [];
    const names = rule.prefixes === undefined ? [] : [`${kind}=${rule.prefixes.join(',')}`];
    const labels = Object.entries(rule.labels ?? {}).map(
      ([key, value]) => `${kind}:${key}=${value}`,
    );
    return names.length + labels.length === 0 ? [kind] : [...names, ...labels];
  }).join(' ');
}

function isKind(text: string): text is ScopedKind {
  return (SCOPED_KINDS as readonly string[]).includes(text);
}

function notKind(text: string): OptionFault {
  return { fault: `a scope is of ${SCOPED_KINDS.join(', ')}, not of "${text}"` };
}

function splitAt(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
