/** What an answer says of its length and what it has given: the rules that are the same on every lane. */

export class AnswerFraming {
  /** Nothing follows the head, whatever is given. */
  isBodiless = false;
  /** Bytes of the body that follows; -1: unknown, or there is none. */
  announced = -1;
  /** Bytes of it that were given. */
  bytesSent = 0;

  /** Settles what follows the head. Returns the Content-Length to say; undefined: none. */
  settle(status: number, isHead: boolean, length: number | undefined): number | undefined {
    const said = lengthToSay(status, isHead, length);
    this.isBodiless = isHead || status === 304 || status === 204 || status === 205;
    this.announced = this.isBodiless || said === undefined ? -1 : said;
    return said;
  }

  /** With `chunk` there would be more than was announced. */
  isExceededBy(chunk: Uint8Array): boolean {
    return this.announced >= 0 && this.bytesSent + chunk.length > this.announced;
  }

  /** Less was given than was announced. */
  get isShort(): boolean {
    return this.bytesSent < this.announced;
  }
}

function lengthToSay(
  status: number,
  isHead: boolean,
  length: number | undefined,
): number | undefined {
  // RFC 9110 §8.6: never with 204.
  if (status === 204) return undefined;
  // RFC 9110 §15.3.6: no content, said by a length, since 205 is not self-delimiting.
  return status === 205 && !isHead ? 0 : length;
}

/** `length` for the `settle` of an answer that is known at once. */
export function lengthAtOnce(
  status: number,
  isHead: boolean,
  body: Uint8Array | string | undefined,
): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body);
  if (body !== undefined) return body.length;
  // Of what a GET would have got nothing is known here, and 0 would be a lie.
  return isHead || status === 304 ? undefined : 0;
}
