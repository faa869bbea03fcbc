/** Which texts of a configuration are secrets by their looks, and what is shown of them. */

/** What is shown in place of a secret. */
export const HIDDEN = '(hidden)';

/** Values of these keys are secrets, whatever a plugin's schema says. */
const SECRET_KEY =
  /secret|passw|passphrase|credential|token$|private|^apikey$|^(?:proxy-)?authorization$|^k$|^d$/i;

export function isSecretKey(key: string | number): boolean {
  return typeof key === 'string' && SECRET_KEY.test(key);
}

/** `https://user:password@host` */
export function withoutUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, `$1${HIDDEN}@`);
}

/** Wherever it stands: with its certificate in one text, for one. */
export function holdsPrivateKey(text: string): boolean {
  return text.includes('PRIVATE KEY-----');
}

/** Of a hash: enough to tell it from another. */
export const SHOWN_HASH_DIGITS = 8;
const HASH = /^sha256:[0-9A-Fa-f]{64}$/;
const SHOWN_HASH = /^sha256:[0-9A-Fa-f]{8}…$/;
/** Names a secret and is none; a default (`${VAR:-…}`) may be one. */
const REFERENCE = /^\$\{(?:file:[^}]+|[A-Za-z_][A-Za-z0-9_]*)\}$/;

/** What is shown in place of a secret: of a key's hash enough to tell it from another. */
export function concealText(text: string): string {
  if (REFERENCE.test(text)) return text;
  return HASH.test(text) ? `${text.slice(0, 'sha256:'.length + SHOWN_HASH_DIGITS)}…` : HIDDEN;
}

/** Whether a text is what was shown in place of another. */
export function isConcealed(text: string): boolean {
  return text === HIDDEN || text.includes(`://${HIDDEN}@`) || SHOWN_HASH.test(text);
}
