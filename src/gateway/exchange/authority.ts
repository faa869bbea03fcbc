/** Whether the text of a Host field or `:authority` can be one at all. */
import { codeAt } from '../../mesh/transport/octets.ts';

/** Characters of `uri-host [":" port]` (RFC 3986 §3.2.2): no userinfo, no path, no list, no space. */
const ALLOWED = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+;=%:[]") {
  ALLOWED[char.charCodeAt(0)] = 1;
}

/** RFC 9112 §3.2: a Host field with an invalid value must be answered by 400. Empty is valid. */
export function isAuthority(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = codeAt(text, i);
    if (code > 127 || ALLOWED[code] === 0) return false;
  }
  return true;
}
