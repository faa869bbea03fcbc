/** Makes answers that are nearly right: by the grammar, then bent at a few places, and cut into segments anywhere. */
import * as fc from 'fast-check';
import type { AskedAnswer } from './answer-observation.ts';
import { mutations, offsetAt, place } from './text-mutations.ts';

/** Mostly the first, so that most of an answer is right and what is odd is seen by itself. */
function mostly(usual: string, ...others: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(usual) },
    { weight: 3, arbitrary: fc.constantFrom(...others) },
  );
}

function rarely(...strings: readonly string[]): fc.Arbitrary<string> {
  return mostly('', ...strings);
}

const joined = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((strings) => strings.join(''));

const several = (
  part: fc.Arbitrary<string>,
  minLength: number,
  maxLength: number,
): fc.Arbitrary<string> =>
  fc.array(part, { minLength, maxLength }).map((strings) => strings.join(''));

const version = mostly(
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'ICY',
);
const status = fc.oneof(
  { weight: 10, arbitrary: fc.constant('200') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '204',
      '304',
      '205',
      '404',
      '500',
      '999',
      '101',
      '099',
      '20',
      '2000',
    ),
  },
);
const reason = mostly(' OK', ' ', '', '  Not so\tgood', ' \xc3\xa9', ' \xff', ' O\0K', ' a:b', 'x');
const lineEnd = fc.oneof(
  { weight: 150, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\n\r\n', ' \r\n', '\r\n ') },
);

const plainLine = fc.constantFrom(
  'A: b',
  'A:',
  'A: \t b \t',
  'Set-Cookie: a=b',
  "!#$%&'*+-.^_`|~: c",
  'A: \xe9\xff',
  'A: b:c',
  'A: "b',
  'Trailer: X',
  'Date: Sun, 06 Nov 1994 08:49:37 GMT',
);
const controlLine = fc.constantFrom(
  'Connection: close',
  'Connection: keep-alive',
  'connection: A , CLOSE',
  'Connection: upgrade',
  'Connection: \t',
  'Proxy-Connection: close',
  'Proxy-Connection: keep-alive',
  'Keep-Alive: timeout=60',
  'Keep-Alive: timeout=1, max=3',
  'Keep-Alive: max=0',
  'Upgrade: websocket',
);
const brokenLine = fc.constantFrom(
  'A : b',
  ' A: b',
  '\tb',
  ' ',
  'A',
  ': b',
  'A(: b',
  'A: \0',
  'A: \x7f',
  'A: b\nC: d',
  'A: b\rC: d',
  '\xe9: b',
);
const line = joined(
  fc.oneof(
    { weight: 25, arbitrary: plainLine },
    { weight: 12, arbitrary: controlLine },
    { weight: 1, arbitrary: brokenLine },
  ),
  lineEnd,
);
const lines = several(line, 0, 3);

const hints = joined(
  fc
    .constantFrom('100 Continue', '102 Processing', '103 Early Hints', '199 Odd')
    .map((text) => `HTTP/1.1 ${text}\r\n`),
  rarely('Connection: close\r\n', 'Content-Length: 2\r\n', 'Content-Length: 0\r\n', 'A\r\n'),
  lines,
  fc.constant('\r\n'),
);

const payload = fc.constantFrom(
  '',
  'a',
  'hello',
  '\r\n',
  '0\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  '\0\xff',
);

const chunkSize = (length: number): fc.Arbitrary<string> => {
  const hex = length.toString(16);
  return mostly(
    hex,
    `0${hex}`,
    hex.toUpperCase(),
    `${hex} `,
    ` ${hex}`,
    `0x${hex}`,
    `+${hex}`,
    `${length + 1}`,
    '',
    `0000000000000${hex}`,
  );
};
const extension = rarely(
  ';a',
  ';a=b',
  ';a="b;c"',
  '; a=b',
  ' ;a',
  ';',
  ';a="b',
  ';\xe9',
  ';a\nb',
  ';a\rb',
);
const chunk = payload
  .filter((data) => data !== '')
  .chain((data) => joined(chunkSize(data.length), extension, lineEnd, fc.constant(data), lineEnd));
const chunks = joined(
  several(chunk, 0, 3),
  mostly('0', '00', '', '-0', '0 '),
  extension,
  lineEnd,
  fc.oneof(
    { weight: 4, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: line },
    {
      weight: 1,
      arbitrary: fc.constantFrom('Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'),
    },
  ),
  lineEnd,
);

/** The lines that say how the body ends, and the body. */
const framed: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  {
    weight: 6,
    arbitrary: payload.map((data) => [`Content-Length: ${data.length}\r\n`, data] as const),
  },
  { weight: 6, arbitrary: chunks.map((data) => ['Transfer-Encoding: chunked\r\n', data] as const) },
  { weight: 2, arbitrary: payload.map((data) => ['', data] as const) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      several(
        fc.constantFrom(
          'Content-Length: 5\r\n',
          'Content-Length: 05\r\n',
          'Content-Length:5\t\r\n',
          'Content-Length: 5, 5\r\n',
          'Content-Length: +5\r\n',
          'Content-Length: 5a\r\n',
          'Content-Length:\r\n',
          'Content-Length: 00000000000000005\r\n',
          'Transfer-Encoding: chunked\r\n',
          'Transfer-Encoding:chunked \r\n',
          'transfer-encoding: Chunked\r\n',
          'Transfer-Encoding: gzip, chunked\r\n',
          'Transfer-Encoding: chunked, identity\r\n',
          'Transfer-Encoding: identity\r\n',
          'Transfer-Encoding : chunked\r\n',
          'Transfer-Encoding: \x0bchunked\r\n',
        ),
        1,
        2,
      ),
      fc.oneof(fc.constant('hello'), chunks),
    ),
  },
);

const after = rarely(
  'x',
  '\r\n',
  '\n',
  'HTTP/1.1 ',
  'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
  'HTTP/1.1 103 Early Hints\r\n\r\n',
);

const wholeAnswer = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: several(hints, 1, 2) },
    ),
    version,
    status,
    reason,
    lineEnd,
    lines,
    framed,
    lines,
    lineEnd,
    after,
  )
  .map(([first, http, code, words, end, before, [framing, body], later, blank, rest]) =>
    [first, http, ' ', code, words, end, before, framing, later, blank, body, rest].join(''),
  );

const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.array(place, { minLength: 1, maxLength: 4 }) },
);

export const answer: fc.Arbitrary<AskedAnswer> = fc
  .record({
    text: wholeAnswer,
    mutations,
    cuts,
    ending: fc.oneof(
      { weight: 6, arbitrary: fc.constant('keep' as const) },
      { weight: 1, arbitrary: fc.constantFrom('end' as const, 'reset' as const) },
    ),
    isHead: fc.oneof(
      { weight: 7, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    upgrade: fc.oneof(
      { weight: 15, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constant('websocket') },
    ),
    maxHeadBytes: fc.oneof(
      { weight: 9, arbitrary: fc.constant(16_384) },
      { weight: 1, arbitrary: fc.constant(100) },
    ),
  })
  .map(({ text, mutations: bends, cuts: shares, upgrade, isHead, ...rest }) => {
    const bent = bends.reduce((bending, bend) => bend(bending), text);
    const segments: string[] = [];
    let from = 0;
    for (const to of [...shares.map((share) => offsetAt(bent, share)), bent.length].toSorted(
      (a, b) => a - b,
    )) {
      if (to > from) segments.push(bent.slice(from, to));
      from = to;
    }
    return { ...rest, isHead, upgrade: isHead ? undefined : upgrade, segments };
  });
