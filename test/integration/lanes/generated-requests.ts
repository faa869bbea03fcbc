/** Makes requests that are nearly right, and puts several on one connection, cut into pieces anywhere. */
import * as fc from 'fast-check';
import { CLOSING } from './lane-requests.ts';

/** Mostly the first, so that most of a request is right and what is odd is seen by itself. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  );
}

const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('PATCH', 'PROPFIND', 'TRACE', 'get', 'GETT', 'G ET', ''),
  },
);
const target = mostly(
  '/a',
  '/local',
  '/204',
  '/304',
  '/chunks',
  '/?',
  '*',
  'a',
  '',
  '/a#b',
  '/a b',
  '/\xe9',
  '/\x7f',
  '/..',
  'http://localhost/a',
  '//a',
);
const version = mostly(
  ' HTTP/1.1',
  ' HTTP/1.0',
  ' HTTP/1.2',
  ' http/1.1',
  '',
  '  HTTP/1.1',
  ' HTTP/1.1 ',
);
const lineEnd = fc.oneof(
  { weight: 60, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n ') },
);
const hostLine = mostly(
  'Host: localhost',
  'host:localhost',
  'Host : localhost',
  'Host: a b',
  'Host:',
  '',
);
const field = fc.constantFrom(
  'Accept: */*',
  'X-Empty:',
  'X-Spaces: \t a \t ',
  'x-lower: b',
  'X-Latin: \xe9',
  'X-Control: \x01',
  'X-Zero: \0',
  ' X-Folded: c',
  'X-Space : d',
  'X(Bad): e',
  'X-No-Colon',
  ': no name',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: X-Lower, close',
  'Connection: upgrade',
  'Proxy-Connection: close',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: tea',
  'TE: trailers',
  'Trailer: X-A',
  'Host: other',
  'Content_Length: 5',
  'Transfer_Encoding: chunked',
);

/** What says where the body ends, with a body that ends there, or does not. */
const framed = fc.oneof(
  { weight: 6, arbitrary: fc.constant(['', ''] as const) },
  {
    weight: 6,
    arbitrary: fc.nat(40).map((n) => [`Content-Length: ${n}`, 'x'.repeat(n)] as const),
  },
  {
    weight: 6,
    arbitrary: fc
      .array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 })
      .map((sizes) => ['Transfer-Encoding: chunked', toChunks(sizes, '\r\n')] as const),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ['Content-Length: 3\r\nContent-Length: 3', 'abc'],
      ['Content-Length: 3\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
      ['Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'],
      ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'],
      ['Transfer-Encoding: gzip, chunked', '0\r\n\r\n'],
      ['Transfer-Encoding: xchunked', '0\r\n\r\n'],
      ['Transfer-Encoding : chunked', '0\r\n\r\n'],
      ['Transfer-Encoding:\tCHUNKED ', '1\r\na\r\n0\r\n\r\n'],
      ['Content-Length: +3', 'abc'],
      ['Content-Length: 3,3', 'abc'],
      ['Content-Length: 0x3', 'abc'],
      ['Content-Length: 0003', 'abc'],
      ['Content-Length: 3 ', 'abc'],
      ['Content-Length: ', 'abc'],
      ['Content-Length: 99999999999999999999', 'abc'],
      ['Transfer-Encoding: chunked', '3\r\nabcd\r\n0\r\n\r\n'],
      ['Transfer-Encoding: chunked', '3;a=b;c="d\\"e"\r\nabc\r\n0;f\r\n\r\n'],
      ['Transfer-Encoding: chunked', '3\nabc\r\n0\r\n\r\n'],
      ['Transfer-Encoding: chunked', '3\r\nabc0\r\n\r\n'],
      ['Transfer-Encoding: chunked', '-1\r\n\r\n0\r\n\r\n'],
      ['Transfer-Encoding: chunked', '0\r\nX-A: 1\r\nX-B:\t2\r\n\r\n'],
      ['Transfer-Encoding: chunked', '0\r\nX-A : 1\r\n\r\n'],
      ['Transfer-Encoding: chunked', '0\r\nContent-Length: 3\r\n\r\n'],
    ),
  },
);

function toChunks(sizes: readonly number[], end: string): string {
  const chunks = sizes.map((size) => `${size.toString(16)}${end}${'y'.repeat(size)}${end}`);
  return `${chunks.join('')}0${end}${end}`;
}

const request = fc
  .record({
    method,
    target,
    version,
    hostLine,
    fields: fc.array(field, { maxLength: 3 }),
    framed,
    ends: fc.array(lineEnd, { minLength: 8, maxLength: 8 }),
  })
  .map(({ framed: [framing, body], ends, ...head }) => {
    const lines = [
      `${head.method} ${head.target}${head.version}`,
      ...[head.hostLine, ...head.fields, framing].filter((line) => line !== ''),
      '',
    ];
    return lines.map((line, at) => line + ends[at]!).join('') + body;
  });

/** One octet more, less, or another one. */
const slip = fc.record({
  at: fc.nat(10_000),
  removed: fc.nat(1),
  added: fc.constantFrom('', '\r', '\n', ' ', '\t', '\0', ':', '0', 'a', ',', ';', '\x80'),
});

function slipped(
  bytes: string,
  { at, removed, added }: { at: number; removed: number; added: string },
): string {
  const start = at % (bytes.length + 1);
  return bytes.slice(0, start) + added + bytes.slice(start + removed);
}

/** Pieces of what one connection carries; the last request of it asks for the end. */
export const conversation: fc.Arbitrary<readonly string[]> = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    slip: fc.option(slip, { freq: 2 }),
    cuts: fc.array(fc.nat(10_000), { maxLength: 3 }),
  })
  .map(({ requests, slip: one, cuts }) => {
    const bytes = requests.join('');
    return toPieces((one === null ? bytes : slipped(bytes, one)) + CLOSING, cuts);
  });

function toPieces(bytes: string, cuts: readonly number[]): string[] {
  const places = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
  return [0, ...places]
    .map((start, at) => bytes.slice(start, places[at]))
    .filter((piece) => piece !== '');
}
