/** Tells HTTP/2 by prior knowledge from HTTP/1 on a plain connection, by its first bytes. */

/** RFC 9113 §3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** No HTTP/1 request starts like this, so there is no need to wait for all 24 bytes. */
const TELLING_BYTES = Buffer.byteLength('PRI * HTTP/2.0\r\n');

/** Undefined: a few more bytes will tell. */
export function sniffProtocol(bytes: Buffer): 'http1' | 'h2' | undefined {
  const length = Math.min(bytes.length, TELLING_BYTES);
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return 'http1';
  return length === TELLING_BYTES ? 'h2' : undefined;
}
