/** Bodies in chunks as the wire lane reads them, wherever the network cuts them. */
import { describe, expect, it } from 'vitest';
import { ChunkReader } from '../../../../src/gateway/exchange/wire-lane/wire-chunks.ts';

const limits = { maxHeaderFields: 100, maxHeaderBytes: 200, maxTargetBytes: 100 };

interface Read {
  readonly body: string;
  /** Bytes that belonged to it. */
  readonly taken: number;
  readonly reader: ChunkReader;
}

function readIn(text: string, pieceBytes: number): Read {
  const reader = new ChunkReader(limits);
  const bytes = Buffer.from(text, 'latin1');
  let body = '';
  let taken = 0;
  reader.start();
  while (taken < bytes.length && !reader.isDone && reader.failure === undefined) {
    const piece = bytes.subarray(taken, taken + pieceBytes);
    taken += reader.read(piece, 0, { push: (chunk) => (body += chunk.toString('latin1')) });
  }
  return { body, taken, reader };
}

describe.each([1, 2, 3, 1000])('in pieces of %i', (size) => {
  it('ends where its last chunk ends', () => {
    const text = '5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n';
    const { body, taken, reader } = readIn(`${text}GET `, size);
    expect(body).toBe('hello0123456789');
    expect(reader.isDone).toBe(true);
    expect(taken).toBe(text.length);
    expect(reader.trailers).toBeUndefined();
  });

  it('brings its trailers', () => {
    const { reader } = readIn('1\r\na\r\n0\r\nX-A: 1\r\nx-b:\t2 \r\n\r\n', size);
    expect(reader.trailers).toEqual(['X-A', '1', 'x-b', '2']);
  });

  it.for(['1;a', '1;a=b', '1;a="b\\"c"', '1;a;b=c;d="e"'])('may have extensions: %s', (line) => {
    expect(readIn(`${line}\r\nx\r\n0\r\n\r\n`, size).body).toBe('x');
  });

  it.for([
    'zz\r\n',
    '\r\n',
    ' 1\r\n',
    '1 \r\n',
    '-1\r\n',
    '0x1\r\n',
    '1\n',
    '1;\r\n',
    '1; a\r\n',
    '1;a="b"c\r\n',
    '1;a\nb\r\n',
    '1;a="\0"\r\n',
    '1\r\nab\r\n',
    '1\r\na\n',
    '0\r\n\n',
    '0\r\nX : a\r\n',
    '0\r\n X: a\r\n',
    '0\r\nX: a\n',
    '0\r\nX: \x01\r\n',
    '0\r\nContent-Length: 1\r\n\r\n',
    '0\r\ntransfer-encoding: chunked\r\n\r\n',
    'fffffffffffff\r\n',
  ])('is refused at once for %j', (text) => {
    const { reader } = readIn(text, size);
    expect(reader.failure).toMatchObject({ code: 'bad_request', status: 400 });
    expect(reader.isDone).toBe(false);
  });

  it('is refused for trailers without end', () => {
    const { reader } = readIn(`0\r\nX: ${'y'.repeat(400)}`, size);
    expect(reader.failure).toMatchObject({ code: 'headers_too_large', status: 431 });
  });
});

it('reads one body after the other', () => {
  const reader = new ChunkReader(limits);
  for (const word of ['one', 'two']) {
    let body = '';
    reader.start();
    const bytes = Buffer.from(`3\r\n${word}\r\n0\r\nX: ${word}\r\n\r\n`);
    reader.read(bytes, 0, { push: (chunk) => (body += chunk.toString()) });
    expect([body, reader.trailers]).toEqual([word, ['X', word]]);
  }
});
