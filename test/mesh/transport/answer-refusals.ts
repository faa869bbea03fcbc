/** Answers that one of the two refuses: the upstream, or undici's Client. */
import {
  type Difference,
  hasName,
  linesOf,
  readByUs,
  refusedByUs,
} from './answer-difference-kinds.ts';

/** Their answer is not ours to understand: its end cannot be known for certain. */
export const REFUSED_BY_US: readonly Difference[] = [
  {
    reason:
      'RFC 9112 §6.3: the end of a body in a coding that is not undone is not known for certain; ' +
      'undici reads to the end of the connection, or by `chunked` wherever it stands last',
    rows: [
      '(parser) another transfer coding',
      '(parser) chunked and another transfer coding',
      '(parser) chunked twice',
      'chunked with a parameter',
      'chunked with an empty member before it',
      'chunked with an empty member after it',
      'chunked named twice',
      'chunked that is not last',
      'chunked in two lines, gzip first',
      'a coding that ends in chunked',
      'a coding that begins with chunked',
      'identity',
      'an empty coding',
      'chunked in quotes',
    ],
    explains: refusedByUs('a Transfer-Encoding other than chunked', (text) => {
      const codings = linesOf(text, 'transfer-encoding');
      return codings.length > 1 || codings.some((coding) => coding.toLowerCase() !== 'chunked');
    }),
  },
  {
    reason: 'RFC 9112 §6.1: Transfer-Encoding in HTTP/1.0 is to be treated as faulty framing',
    rows: ['(parser) Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 in chunks'],
    explains: refusedByUs('Transfer-Encoding in an HTTP/1.0 answer', (text) =>
      /^HTTP\/1\.0 /m.test(text),
    ),
  },
  {
    reason: 'RFC 9112 §4: a reason holds no control octets; undici passes them on',
    rows: ['(parser) a control octet in the reason'],
    explains: refusedByUs('the status line holds a character', (text) =>
      // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
      /^HTTP\/1\.[01] \d{3} [^\r\n]*[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/m.test(text),
    ),
  },
  {
    reason: 'RFC 9112 §2.2 lets a server pass over empty lines before a request, and no client',
    rows: [
      '(parser) an empty line before the status line',
      'an empty line before it',
      'LF before it',
      'CR before it',
    ],
    explains: refusedByUs(/does not begin with|breaks its lines wrongly/, (text) =>
      /(?:^|\r\n\r\n)[\r\n]+[HRI]/.test(text),
    ),
  },
  {
    reason:
      'RFC 9112 §2.2: CR without LF ends no line; undici takes two CR for the end of the first',
    rows: ['two CR after the reason'],
    explains: refusedByUs(/holds a character|breaks its lines wrongly/, (text) =>
      /^HTTP\/1\.[01] \d{3}[^\r\n]*\r\r/m.test(text),
    ),
  },
  {
    reason:
      'RFC 9112 §2.3: the version is HTTP/1.0 or HTTP/1.1 on such a connection; undici also takes ' +
      'HTTP/0.9, HTTP/2.0, RTSP and ICE',
    rows: ['(parser) HTTP/2 in an HTTP/1.1 dress', 'HTTP/0.9 in a status line', 'RTSP/1.0'],
    explains: refusedByUs('does not begin with an HTTP/1 status line', (text) =>
      /^(?:HTTP\/(?:0\.9|2\.0)|(?:RTSP|ICE)\/\d\.\d) /m.test(text),
    ),
  },
  {
    reason:
      'RFC 9110 §15: a status is 100 at least; undici tells of it as informational, then throws',
    rows: ['(parser) a status below 100', 'a status of zero'],
    explains: refusedByUs('malformed status code', (text) => /^HTTP\/1\.[01] 0\d\d/m.test(text)),
  },
  {
    reason: 'RFC 9110 §8.6 wants any length read; ours is exact to 15 digits, and refused beyond',
    rows: ['a length of 16 digits'],
    explains: refusedByUs('malformed Content-Length', (text) =>
      linesOf(text, 'content-length').some((value) => /^\d{16,}$/.test(value)),
    ),
  },
  {
    reason: 'RFC 9112 §7.1 warns of large sizes; ours are exact to 12 digits, and refused beyond',
    rows: ['a chunk size of 13 digits'],
    explains: refusedByUs('malformed chunk size', (text) => /^[\da-f]{13,}/im.test(text)),
  },
  {
    reason:
      'RFC 9110 §5.4 leaves limits to the client; ours is on all bytes of a head or of trailers, ' +
      'that of undici on the names and values alone',
    rows: ['a head over the limit'],
    explains: refusedByUs(
      'too long, or breaks its lines wrongly',
      (text, { maxHeadBytes }) => text.length > maxHeadBytes,
    ),
  },
  {
    reason:
      'RFC 9110 §15.2.2: 101 is for the protocol that was asked for, or nobody knows what follows; ' +
      'undici takes any protocol, and throws where it is no upgrade to it',
    rows: [
      '(parser) 101 to a request that asked for no upgrade',
      '101 without an Upgrade field',
      '101 to another protocol',
    ],
    explains: refusedByUs('not a valid answer: 101 to ', (text) =>
      /^HTTP\/1\.[01] 101/m.test(text),
    ),
  },
  {
    reason:
      'RFC 9112 §8: a body that ends with the connection is complete unless the connection ' +
      'reports an error, such as RST; undici takes it for complete all the same',
    rows: ['no length, and RST', 'no length, close, and RST'],
    explains: refusedByUs('the connection broke', (_, { ending }) => ending === 'reset'),
  },
];

export const READ_BY_US: readonly Difference[] = [
  {
    reason: 'RFC 9110 §15.2: a client reads informational answers that it did not expect, 100 too',
    rows: [
      '(parser) several informational answers before the final one',
      '100 that nobody asked for',
    ],
    explains: readByUs('bad response', (text) => /^HTTP\/1\.[01] 100/m.test(text)),
  },
  {
    reason:
      'RFC 9112 §7.1.1: extensions that are not known are ignored, and none can hold a line end; ' +
      'undici refuses white space, empty names and what is no token in them',
    rows: [
      'white space in an extension',
      'an extension without a name',
      'an extension that is no token',
      'quotes that do not end',
    ],
    explains: readByUs('Invalid character in chunk extensions', (text) =>
      /^[\da-f]+;/im.test(text),
    ),
  },
  {
    reason:
      'RFC 9112 §5.1: white space after a value is no part of it; undici reckons it among the ' +
      'digits of the length',
    rows: ['a length with white space about it'],
    explains: readByUs('does not match content-length', (text) =>
      /^content-length:[\t ]*\d+[\t ]+\r/im.test(text),
    ),
  },
  {
    reason:
      'RFC 9112 §9.6: after close no request follows, but the final answer does; undici refuses it ' +
      'after an informational one that says so, by `Connection` or by its version',
    rows: ['103 of HTTP/1.0', '103 with close'],
    explains: readByUs(
      'Data after `Connection: close`',
      (_, __, ours) => ours.informational.length > 0,
    ),
  },
  {
    reason: 'RFC 9110 §6.5.1: trailers say nothing about framing; undici refuses a length in them',
    rows: ['a length among trailers'],
    explains: readByUs("Content-Length can't be present", (_, __, ours) =>
      hasName(ours.trailers, 'content-length'),
    ),
  },
  {
    reason:
      'RFC 9110 §7.8 wants `Connection: upgrade` of the sender; without it undici throws, and ours ' +
      'goes by the Upgrade field, since nothing else can be meant',
    rows: ['(parser) 101 and the bytes of the tunnel', '101 without Connection'],
    explains: readByUs('assert(upgrade)', (_, __, ours) => ours.outcome === 'upgraded'),
  },
];
