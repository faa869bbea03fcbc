/** Bytes that are no HTTP/1 request, or one that two readers would read differently. */

const host = 'Host: localhost\r\n';
const post = `POST /bad HTTP/1.1\r\n${host}`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const get = `GET /bad HTTP/1.1\r\n${host}`;

export interface Malformed {
  readonly name: string;
  readonly bytes: string;
  readonly status: number;
  readonly code: string;
}

function cases(
  status: number,
  code: string,
  entries: Readonly<Record<string, string>>,
): readonly Malformed[] {
  return Object.entries(entries).map(([name, bytes]) => ({ name, bytes, status, code }));
}

const framing = cases(400, 'bad_request', {
  'Content-Length before Transfer-Encoding': `${post}Content-Length: 5\r\n${chunked}\r\n0\r\n\r\n`,
  'Transfer-Encoding before Content-Length': `${post}${chunked}Content-Length: 5\r\n\r\n0\r\n\r\n`,
  'Content-Length: 0 with Transfer-Encoding': `${post}Content-Length: 0\r\n${chunked}\r\n0\r\n\r\n`,
  'two different Content-Length': `${post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
  'the same Content-Length twice': `${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
  'Content-Length twice, in different cases': `${post}Content-Length: 3\r\ncONTENT-lENGTH: 3\r\n\r\nabc`,
  'a list of lengths': `${post}Content-Length: 3, 3\r\n\r\nabc`,
  'a length with a sign': `${post}Content-Length: +3\r\n\r\nabc`,
  'a negative length': `${post}Content-Length: -3\r\n\r\nabc`,
  'a length in hexadecimal': `${post}Content-Length: 0x3\r\n\r\nabc`,
  'a length with a space in it': `${post}Content-Length: 1 0\r\n\r\n0123456789`,
  'an empty length': `${post}Content-Length: \r\n\r\nabc`,
  'a length that no number can hold': `${post}Content-Length: 18446744073709551617\r\n\r\na`,
  'a transfer coding other than chunked': `${post}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n`,
  'gzip before chunked': `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'identity after chunked': `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  'chunked twice in a list': `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding twice': `${post}${chunked}${chunked}\r\n0\r\n\r\n`,
  'Transfer-Encoding twice, in different cases': `${post}${chunked}transfer-encoding: identity\r\n\r\n0\r\n\r\n`,
  'a disguised chunked': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'a quoted chunked': `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
  'chunked with a vertical tab': `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  'chunked on a folded line': `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding in HTTP/1.0': `POST /bad HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`,
});

const fields = cases(400, 'bad_request', {
  'two Host fields': `${get}Host: other\r\n\r\n`,
  'the same Host twice': `${get}host: localhost\r\n\r\n`,
  'no Host': 'GET /bad HTTP/1.1\r\nAccept: */*\r\n\r\n',
  'a Host with a path': 'GET /bad HTTP/1.1\r\nHost: localhost/x\r\n\r\n',
  'a Host with userinfo': 'GET /bad HTTP/1.1\r\nHost: u@localhost\r\n\r\n',
  'a Host with a list': 'GET /bad HTTP/1.1\r\nHost: localhost, other\r\n\r\n',
  'an obsolete folding': `${get}X-A: b\r\n c\r\n\r\n`,
  'an obsolete folding by a tab': `${get}X-A: b\r\n\tc\r\n\r\n`,
  'a folding before the first field': `GET /bad HTTP/1.1\r\n X-A: b\r\n${host}\r\n`,
  'a bare CR in a value': `${get}X-A: b\rX-B: c\r\n\r\n`,
  'a bare LF in a value': `${get}X-A: b\nX-B: c\r\n\r\n`,
  'a bare LF after the request line': `GET /bad HTTP/1.1\n${host}\r\n`,
  'bare LF throughout': 'GET /bad HTTP/1.1\nHost: localhost\n\n',
  'a bare CR at the end of the head': `${get}X-A: b\r\n\rX`,
  'a space before the colon': `${get}X-A : b\r\n\r\n`,
  'a tab before the colon of a framing field': `${post}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`,
  'a space before the colon of a length': `${post}Content-Length : 5\r\n\r\nabcde`,
  'a space before the name': `${get} X-A: b\r\n\r\n`,
  'an empty name': `${get}: b\r\n\r\n`,
  'a line without a colon': `${get}X-A\r\n\r\n`,
  'NUL in a value': `${get}X-A: b\0c\r\n\r\n`,
  'a control character in a value': `${get}X-A: b\x01c\r\n\r\n`,
  'DEL in a value': `${get}X-A: b\x7fc\r\n\r\n`,
  'NUL in a name': `${get}X\0A: b\r\n\r\n`,
  'a control character in a name': `${get}X\x02A: b\r\n\r\n`,
  'a name with brackets': `${get}X(A): b\r\n\r\n`,
  'a name beyond ASCII': `${get}X\xe9A: b\r\n\r\n`,
});

const requestLine = cases(400, 'bad_request', {
  'a control character in the target': `GET /b\x01ad HTTP/1.1\r\n${host}\r\n`,
  'NUL in the target': `GET /b\0ad HTTP/1.1\r\n${host}\r\n`,
  'DEL in the target': `GET /b\x7fad HTTP/1.1\r\n${host}\r\n`,
  'a tab in the target': `GET /b\tad HTTP/1.1\r\n${host}\r\n`,
  'a space in the target': `GET /b ad HTTP/1.1\r\n${host}\r\n`,
  'a bare CR in the target': `GET /b\rad HTTP/1.1\r\n${host}\r\n`,
  'a target that is neither path nor URL': `GET bad HTTP/1.1\r\n${host}\r\n`,
  'a target of another scheme': `GET ftp://localhost/bad HTTP/1.1\r\n${host}\r\n`,
  'a URL without a host': `GET http:///bad HTTP/1.1\r\n${host}\r\n`,
  'an asterisk for GET': `GET * HTTP/1.1\r\n${host}\r\n`,
  'an unknown method': `FOO /bad HTTP/1.1\r\n${host}\r\n`,
  'a method in lower case': `get /bad HTTP/1.1\r\n${host}\r\n`,
  'a method with a character of no token': `GE(T /bad HTTP/1.1\r\n${host}\r\n`,
  'HTTP/0.9': 'GET /bad\r\n\r\n',
  'HTTP/0.9 by number': `GET /bad HTTP/0.9\r\n${host}\r\n`,
  'HTTP/1.2': `GET /bad HTTP/1.2\r\n${host}\r\n`,
  'HTTP/2.0 by number': `GET /bad HTTP/2.0\r\n${host}\r\n`,
  'a version in lower case': `GET /bad http/1.1\r\n${host}\r\n`,
  'a version of two digits': `GET /bad HTTP/1.10\r\n${host}\r\n`,
  'another protocol': `GET /bad ICY/1.1\r\n${host}\r\n`,
  'an answer in place of a request': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'a TLS handshake in the clear': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'bytes of nothing in particular': '\x00\xff\x9f\x01\x7f\x80garbage\r\n\r\n',
});

const refused = [
  ...cases(405, 'bad_request', {
    CONNECT: `CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n`,
    TRACE: `TRACE /bad HTTP/1.1\r\n${host}\r\n`,
  }),
  ...cases(417, 'expectation_failed', {
    'an expectation nobody knows': `${post}Content-Length: 1\r\nExpect: tea\r\n\r\na`,
    'an expectation with others': `${post}Content-Length: 1\r\nExpect: 100-continue, tea\r\n\r\na`,
  }),
];

/** Limits are those of the gateway under test: 100 fields, 32 KiB of them, 8 KiB of target, 64 KiB of body. */
const tooMuch = [
  ...cases(431, 'headers_too_large', {
    'too many fields': `${get}${'X-A: b\r\n'.repeat(101)}\r\n`,
    'a field that is too large': `${get}X-A: ${'b'.repeat(33 * 1024)}\r\n\r\n`,
    'fields that are too large together': `${get}${`X-A: ${'b'.repeat(1024)}\r\n`.repeat(33)}\r\n`,
    'a head without end': `${get}${`X-A: ${'b'.repeat(1024)}\r\n`.repeat(48)}`,
  }),
  ...cases(414, 'uri_too_long', {
    'a target that is too long': `GET /${'b'.repeat(8 * 1024)} HTTP/1.1\r\n${host}\r\n`,
    'a query that is too long': `GET /bad?${'b'.repeat(8 * 1024)} HTTP/1.1\r\n${host}\r\n`,
    'a target without end': `GET /${'b'.repeat(48 * 1024)}`,
  }),
  ...cases(413, 'payload_too_large', {
    'a body that is announced too large': `${post}Content-Length: 65537\r\n\r\n`,
    'a body that is announced too large, after a question': `${post}Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n`,
  }),
];

/** Well framed, but it names no place that all readers would agree on. */
const misnamed: readonly Malformed[] = cases(400, 'bad_request', {
  'an empty Host': 'GET /bad HTTP/1.1\r\nHost:\r\n\r\n',
  'a Host with a port that is none': 'GET /bad HTTP/1.1\r\nHost: localhost:99999\r\n\r\n',
  'a fragment in the target': `GET /bad#x HTTP/1.1\r\n${host}\r\n`,
  'a URL with userinfo': `GET http://u:p@localhost/bad HTTP/1.1\r\n${host}\r\n`,
  'a target that climbs above the root': `GET /../bad HTTP/1.1\r\n${host}\r\n`,
  'a target with an encoded NUL': `GET /b%00ad HTTP/1.1\r\n${host}\r\n`,
  'a target with a broken escape': `GET /b%zzad HTTP/1.1\r\n${host}\r\n`,
});

export const malformed: readonly Malformed[] = [
  ...framing,
  ...fields,
  ...requestLine,
  ...misnamed,
  ...refused,
  ...tooMuch,
];

/** What follows a chunk that was right: the body ends here, and not as a body ends. */
export const badChunks: readonly (readonly [name: string, bytes: string, status?: number])[] = [
  ['a size that is no number', 'zz\r\nabc\r\n0\r\n\r\n'],
  ['an empty size', '\r\nabc\r\n0\r\n\r\n'],
  ['a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
  ['a size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a size with a space before it', ' 3\r\nabc\r\n0\r\n\r\n'],
  ['a size that no number can hold', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '3\r\nabcdef\r\n0\r\n\r\n'],
  ['a chunk shorter than its size', '6\r\nabc\r\n0\r\n\r\n'],
  ['a bare LF after a size', '3\nabc\r\n0\r\n\r\n'],
  ['a bare LF after a chunk', '3\r\nabc\n0\r\n\r\n'],
  ['a bare CR after a size', '3\rabc\r\n0\r\n\r\n'],
  ['a bare LF in an extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
  ['a bare CR in an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'],
  ['NUL in an extension', '3;a\0b\r\nabc\r\n0\r\n\r\n'],
  ['an extension without end', `3;${'a'.repeat(20 * 1024)}\r\nabc\r\n0\r\n\r\n`],
  ['a bare LF at the end', '0\r\n\n'],
  ['a bare LF after the last size', '0\n\r\n'],
  ['a trailer that is folded', '0\r\nX-A: b\r\n c\r\n\r\n'],
  ['a trailer with a space before the colon', '0\r\nX-A : b\r\n\r\n'],
  ['a trailer without a colon', '0\r\nX-A\r\n\r\n'],
  ['a trailer with a control character', '0\r\nX-A: \x01\r\n\r\n'],
  ['trailers without end', `0\r\n${`X-A: ${'b'.repeat(1024)}\r\n`.repeat(64)}\r\n`, 431],
];
