/** What nobody read of a request body, which stands before the next request of the connection. */

/** So much is read and dropped to keep the connection; more is worth a new one. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/** `length` of the body; undefined: nobody knows how much is to come. */
export function isLittleLeft(length: number | undefined, receivedBytes: number): boolean {
  return length !== undefined && length - receivedBytes <= MAX_DISCARDED_BYTES;
}
