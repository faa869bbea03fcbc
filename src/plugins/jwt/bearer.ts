/** Takes the token out of the field that carries it. */

const SCHEME = 'bearer';
/** What may go on the name of a scheme (RFC 9110 §5.6.2). */
const TOKEN_CHARACTER = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;

/**
 * What stands after the scheme `Bearer`, whose case does not matter (RFC 9110 §11.1). Undefined
 * for another scheme: that is some other plugin's business, or the service's. A value that begins
 * as a bearer token but is none, such as one after a tab, is handed back as it is and fails as a
 * token: it must not pass for anonymous here and for somebody at the service.
 */
export function toBearerToken(credential: string): string | undefined {
  if (credential.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  if (credential.charCodeAt(SCHEME.length) === 0x20) {
    let start = SCHEME.length + 1;
    while (credential.charCodeAt(start) === 0x20) start += 1;
    return credential.slice(start);
  }
  const rest = credential.slice(SCHEME.length);
  return rest !== '' && TOKEN_CHARACTER.test(rest[0]!) ? undefined : rest;
}
