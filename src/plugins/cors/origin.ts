/** Which origins are meant by a list of them: exact ones, `https://*.example.com`, `null` and `*`. */

/** Whether the value of an Origin field is on the list. */
export type OriginMatcher = (origin: string) => boolean;

// Scheme, host and port as RFC 6454 §6.2 writes an origin: no user, path, query or fragment
// can hide in it. Linear: each part begins with what the one before cannot contain.
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/;
const WILDCARD = /^([a-z][a-z0-9+.-]*:\/\/)\*(\.[a-z0-9._-]+)((?::[0-9]{1,5})?)$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** A browser's origins are far shorter; nothing longer is worth a look. */
const MAX_ORIGIN_LENGTH = 300;

/** Scheme and host in lower case, without the scheme's default port; undefined for what is no origin. */
export function normaliseOrigin(origin: string): string | undefined {
  if (origin.length > MAX_ORIGIN_LENGTH) return undefined;
  const parts = ORIGIN.exec(origin.toLowerCase());
  if (parts === null) return undefined;
  const [, scheme, host, port] = parts as unknown as [string, string, string, string | undefined];
  return port === undefined || port === DEFAULT_PORTS[scheme]
    ? `${scheme}://${host}`
    : `${scheme}://${host}:${port}`;
}

/** `https://*.example.com` in two: what an origin begins and ends with. */
interface OriginPattern {
  readonly prefix: string;
  readonly suffix: string;
}

function parsePattern(text: string): OriginPattern | undefined {
  const parts = WILDCARD.exec(text.toLowerCase());
  if (parts === null) return undefined;
  const [, prefix, domain, port] = parts as unknown as [string, string, string, string];
  // Normalised as an origin would be, so that a default port does not stand in the way.
  const normal = normaliseOrigin(`${prefix}a${domain}${port}`);
  return normal === undefined ? undefined : { prefix, suffix: normal.slice(prefix.length + 1) };
}

/** Whether a text may stand in the list. */
export function isOriginPattern(text: string): boolean {
  return (
    text === '*' ||
    text === 'null' ||
    normaliseOrigin(text) !== undefined ||
    parsePattern(text) !== undefined
  );
}

export function createOriginMatcher(origins: readonly string[]): OriginMatcher {
  if (origins.includes('*')) return () => true;
  const exact = new Set<string>();
  const patterns: OriginPattern[] = [];
  for (const text of origins) {
    const pattern = parsePattern(text);
    if (pattern !== undefined) patterns.push(pattern);
    else exact.add(text === 'null' ? text : (normaliseOrigin(text) ?? text));
  }
  return (origin) => {
    // Browsers send the normal form, so the common case is one look-up.
    if (exact.has(origin)) return true;
    const normal = normaliseOrigin(origin);
    if (normal === undefined) return false;
    return exact.has(normal) || patterns.some((pattern) => matches(pattern, normal));
  };
}

function matches({ prefix, suffix }: OriginPattern, origin: string): boolean {
  // Longer than both: a label at least stands for the `*`.
  return (
    origin.length > prefix.length + suffix.length &&
    origin.startsWith(prefix) &&
    origin.endsWith(suffix)
  );
}
