/** Which certificate answers to a name asked for by SNI. */

/**
 * Exact name first, then a wildcard for its leftmost label alone (RFC 6125 §6.4.3), without
 * regard to case (CVE-2026-48928). Built once for a set of certificates.
 */
export class CertificateChoice<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the `*`. */
  readonly #wildcards = new Map<string, T>();

  /** Names in lower case. Of two for one name the first stands; returns whether any was taken. */
  add(names: readonly string[], chosen: T): boolean {
    let taken = false;
    for (const name of names) {
      const isWildcard = name.startsWith('*.');
      const table = isWildcard ? this.#wildcards : this.#exact;
      const key = isWildcard ? name.slice(1) : name;
      if (table.has(key)) continue;
      table.set(key, chosen);
      taken = true;
    }
    return taken;
  }

  /** Undefined: none fits. Never throws, whatever a client sends as a name (CVE-2026-21637). */
  choose(serverName: unknown): T | undefined {
    if (typeof serverName !== 'string') return undefined;
    let name = serverName.toLowerCase();
    if (name.endsWith('.')) name = name.slice(0, -1);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot <= 0 ? undefined : this.#wildcards.get(name.slice(dot));
  }
}
