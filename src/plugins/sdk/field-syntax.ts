/** What names and values of header fields are made of (RFC 9110 §5.6.2 and §5.5). */

/** As a JSON Schema `pattern`: a token, which names of fields and cookies, and methods, are. */
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
export const TOKEN = new RegExp(TOKEN_PATTERN);

/** Control characters, and those that have no octet of their own in latin1. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
export const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
