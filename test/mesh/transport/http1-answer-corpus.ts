/** Answers as they come over the wire, odd but legal ones and ones to refuse, and what is to be made of them. */

export interface HeardAnswer {
  readonly informational: { status: number; headers: string[] }[];
  head: { status: number; reason: string; headers: string[] } | undefined;
  body: string;
  outcome: 'done' | 'upgraded' | 'failed' | 'incomplete' | 'done at the end';
  trailers: string[] | undefined;
  keepAlive: boolean;
  keepAliveTimeoutS: number | undefined;
  /** Bytes beyond the answer. */
  rest: string;
}

export interface AnswerOptions {
  readonly isHead?: boolean;
  readonly mayUpgrade?: boolean;
  readonly maxHeadBytes?: number;
}

type AnswerRow = readonly [
  title: string,
  bytes: string,
  expected: Partial<HeardAnswer>,
  options?: AnswerOptions,
];

const ANSWER_ROWS: readonly AnswerRow[] = [
  [
    'a length-framed answer',
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
    {
      head: {
        status: 200,
        reason: 'OK',
        headers: ['Content-Type', 'text/plain', 'Content-Length', '5'],
      },
      body: 'hello',
      outcome: 'done',
      keepAlive: true,
    },
  ],
  [
    'an empty reason, with and without its space',
    'HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n',
    { head: { status: 404, reason: '', headers: ['Content-Length', '0'] }, outcome: 'done' },
  ],
  [
    'a status line that ends after the code',
    'HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n',
    { head: { status: 404, reason: '', headers: ['Content-Length', '0'] }, outcome: 'done' },
  ],
  [
    'a reason of several words and obs-text',
    'HTTP/1.1 418 I am a t\u00e9apot\r\nContent-Length: 0\r\n\r\n',
    { head: { status: 418, reason: 'I am a t\u00e9apot', headers: ['Content-Length', '0'] } },
  ],
  [
    'fields with odd but legal white space, empty values and obs-text',
    'HTTP/1.1 204 No Content\r\nA:b\r\nC: \t d e \t\r\nE:\r\nF: \r\nG: \u00fc\r\n\r\n',
    {
      head: {
        status: 204,
        reason: 'No Content',
        headers: ['A', 'b', 'C', 'd e', 'E', '', 'F', '', 'G', '\u00fc'],
      },
      outcome: 'done',
      keepAlive: true,
    },
  ],
  [
    'no fields at all',
    'HTTP/1.1 204 No Content\r\n\r\n',
    { head: { status: 204, reason: 'No Content', headers: [] }, outcome: 'done' },
  ],
  [
    'a chunked answer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n 0123\r\n56 \r\n0\r\n\r\n',
    { body: 'hello 0123\r\n56 ', outcome: 'done', trailers: undefined, keepAlive: true },
  ],
  [
    'chunk extensions and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2;a=b;c="d e"\r\nhi\r\n0;last\r\nX-Sum: 42\r\nx-two:\r\n\r\n',
    { body: 'hi', outcome: 'done', trailers: ['X-Sum', '42', 'x-two', ''] },
  ],
  [
    'an answer framed by the end of the connection',
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall that comes\r\n\r\n',
    { body: 'all that comes\r\n\r\n', outcome: 'done at the end', keepAlive: false },
  ],
  [
    'an HTTP/1.0 answer, not kept alive',
    'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    { body: 'hi', outcome: 'done', keepAlive: false },
  ],
  [
    'an HTTP/1.0 answer that is kept alive',
    'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi',
    { body: 'hi', outcome: 'done', keepAlive: true },
  ],
  [
    'Connection: close',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi',
    { body: 'hi', outcome: 'done', keepAlive: false },
  ],
  [
    'close among other connection options, and in a line before keep-alive',
    'HTTP/1.1 200 OK\r\nConnection: X-A , Close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    { outcome: 'done', keepAlive: false },
  ],
  [
    'a connection option that only looks like close',
    'HTTP/1.1 200 OK\r\nConnection: x-close, closed\r\nContent-Length: 0\r\n\r\n',
    { outcome: 'done', keepAlive: true },
  ],
  [
    'Keep-Alive with a timeout',
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 0\r\n\r\n',
    { outcome: 'done', keepAlive: true, keepAliveTimeoutS: 5 },
  ],
  [
    'the answer to HEAD, whatever length it states',
    'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
    { outcome: 'done', body: '', keepAlive: true },
    { isHead: true },
  ],
  [
    'a chunked answer to HEAD',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    { outcome: 'done', body: '', keepAlive: true },
    { isHead: true },
  ],
  [
    '304 with a length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n',
    { outcome: 'done', body: '', keepAlive: true },
  ],
  [
    'several informational answers before the final one',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    {
      informational: [
        { status: 100, headers: [] },
        { status: 103, headers: ['Link', '</a>'] },
      ],
      head: { status: 200, reason: 'OK', headers: ['Content-Length', '2'] },
      body: 'hi',
      outcome: 'done',
    },
  ],
  [
    '101 and the bytes of the tunnel',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi',
    {
      head: { status: 101, reason: 'Switching Protocols', headers: ['Upgrade', 'websocket'] },
      outcome: 'upgraded',
      rest: '\x81\x02hi',
    },
    { mayUpgrade: true },
  ],
  [
    'bytes beyond a length-framed answer',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\nevil',
    { body: 'hi', outcome: 'done', rest: 'HTTP/1.1 200 OK\r\n\r\nevil' },
  ],
  [
    'bytes beyond a chunked answer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK',
    { body: '', outcome: 'done', rest: 'HTTP/1.1 200 OK' },
  ],
  [
    'bytes beyond an answer without a body',
    'HTTP/1.1 204 No Content\r\n\r\nx',
    { outcome: 'done', rest: 'x' },
  ],
  [
    'an answer cut off in its head',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
    { head: undefined, outcome: 'incomplete' },
  ],
  [
    'an answer cut off in its body',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel',
    { body: 'hel', outcome: 'incomplete' },
  ],
  [
    'a chunked answer cut off before the last chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n',
    { body: 'hel', outcome: 'incomplete' },
  ],
  [
    'a chunked answer cut off in its trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\nA: b\r\n',
    { body: 'hel', outcome: 'incomplete' },
  ],
];

const withFields = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;
const chunked = (body: string): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;

type RefusedRow = readonly [title: string, bytes: string, options?: AnswerOptions];

const REFUSED_ROWS: readonly RefusedRow[] = [
  [
    'Content-Length with Transfer-Encoding',
    withFields('Content-Length: 2\r\nTransfer-Encoding: chunked'),
  ],
  ['two different Content-Length', withFields('Content-Length: 2\r\nContent-Length: 3')],
  [
    'two equal Content-Length in different case',
    withFields('Content-Length: 2\r\ncontent-length: 2'),
  ],
  ['a list in Content-Length', withFields('Content-Length: 2, 2')],
  ['a signed Content-Length', withFields('Content-Length: +2')],
  ['an empty Content-Length', withFields('Content-Length:')],
  ['a hexadecimal Content-Length', withFields('Content-Length: 0x2')],
  ['a Content-Length beyond all measure', withFields('Content-Length: 99999999999999999999')],
  ['another transfer coding', withFields('Transfer-Encoding: gzip')],
  ['chunked and another transfer coding', withFields('Transfer-Encoding: gzip, chunked')],
  ['chunked twice', withFields('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked')],
  ['a transfer coding with white space hidden in it', withFields('Transfer-Encoding: \x0bchunked')],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['white space before a colon', withFields('Content-Length : 2')],
  ['a folded line', withFields('A: b\r\n c')],
  ['a line folded with a tab', withFields('A: b\r\n\tc')],
  ['a line that begins with white space', withFields(' A: b')],
  ['a line without a colon', withFields('A')],
  ['a line without a name', withFields(': b')],
  ['a name that is no token', withFields('A(b): c')],
  ['a name with obs-text', withFields('\u00e4: b')],
  ['a bare LF in a value', withFields('A: b\nC: d')],
  ['a bare CR in a value', withFields('A: b\rC: d')],
  ['NUL in a value', withFields('A: b\0c')],
  ['a control octet in a value', withFields('A: b\x01c')],
  ['DEL in a value', withFields('A: b\x7fc')],
  ['lines that end in LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a control octet in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['another protocol that never ends a head', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['an empty line before the status line', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['HTTP/2 in an HTTP/1.1 dress', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['lower case http', 'http/1.1 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['a head that is no more than its version', 'HTTP/1.1\r\n\r\n'],
  ['101 to a request that asked for no upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a head over the limit', withFields(`A: ${'b'.repeat(200)}`), { maxHeadBytes: 128 }],
  ['an endless head', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(200)}`, { maxHeadBytes: 128 }],
  ['a chunk without a size', chunked('\r\nhi')],
  ['a chunk size that is not hexadecimal', chunked('g\r\nhi')],
  ['a chunk size with a prefix', chunked('0x2\r\nhi')],
  ['a negative chunk size', chunked('-2\r\nhi')],
  ['a chunk size beyond all measure', chunked('FFFFFFFFFFFFFFFFF\r\nhi')],
  ['white space before a chunk size', chunked(' 2\r\nhi')],
  ['white space after a chunk size', chunked('2 \r\nhi')],
  ['a chunk size line that ends in LF', chunked('2\nhi\r\n0\r\n\r\n')],
  ['a bare CR after a chunk size', chunked('2\rhi')],
  ['a chunk longer than its size', chunked('2\r\nhigh\r\n0\r\n\r\n')],
  ['a chunk that ends in LF', chunked('2\r\nhi\n0\r\n\r\n')],
  ['an endless chunk extension', chunked(`2;${'a'.repeat(5000)}`)],
  ['a line feed in a chunk extension', chunked('2;a\nhi\r\n0\r\n\r\n')],
  ['a control octet in a chunk extension', chunked('2;a\0\r\nhi\r\n0\r\n\r\n')],
  ['malformed trailers', chunked('0\r\nA : b\r\n\r\n')],
  ['trailers over the limit', chunked(`0\r\nA: ${'b'.repeat(5000)}\r\n\r\n`)],
];

export const ANSWERS = ANSWER_ROWS.map(([title, bytes, expected, options = {}]) => ({
  title,
  bytes,
  expected,
  options,
}));

export const REFUSED = REFUSED_ROWS.map(([title, bytes, options = {}]) => ({
  title,
  bytes,
  options,
}));
