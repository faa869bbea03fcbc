/** Which heads the wire lane takes, which it waits for, and which it leaves to the full lane. */
import { describe, expect, it } from 'vitest';
import {
  CHUNKED,
  HeadReader,
  ODD,
  PARTIAL,
  WHOLE,
} from '../../../../src/gateway/exchange/wire-lane/wire-head.ts';

const limits = { maxHeaderFields: 100, maxHeaderBytes: 32 * 1024, maxTargetBytes: 8 * 1024 };
const reader = new HeadReader(limits);
const read = (text: string, start = 0): number => reader.read(Buffer.from(text, 'latin1'), start);
const withLines = (...lines: readonly string[]): string =>
  ['POST /a HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n');

describe('a canonical head', () => {
  it('is read in its parts, wherever it stands', () => {
    const head =
      'GET /a?b=%20c HTTP/1.1\r\nX-One: 1\r\nhOST: Example.com:80\r\nx-one:\t 2 \t\r\nX-Empty:\r\nX-Latin: \xe9\r\n\r\n';
    expect(read(`before${head}behind`, 6)).toBe(WHOLE);
    expect(reader).toMatchObject({
      method: 'GET',
      target: '/a?b=%20c',
      authority: 'Example.com:80',
      headers: [],
      text: 'X-One: 1\r\nx-one: 2\r\nX-Empty: \r\nX-Latin: \xe9\r\n',
      bodyLength: 0,
      asksToClose: false,
      end: 6 + head.length,
    });
  });

  it('leaves the fields that are judged out of the text', () => {
    read(
      withLines('A: 1', 'Via: 1.1 b', 'C:2', 'D: 3', 'x_real_IP: 4', 'X-Meshgate-Any: 5', 'E: 6'),
    );
    expect(reader.text).toBe('A: 1\r\nC: 2\r\nD: 3\r\nE: 6\r\n');
    expect(reader.headers).toEqual(['Via', '1.1 b', 'x_real_IP', '4', 'X-Meshgate-Any', '5']);
  });

  it('has no text where Connection names fields', () => {
    read(withLines('A: 1', 'Connection: close, a', 'B: 2'));
    expect([reader.text, reader.headers]).toEqual([
      '',
      ['A', '1', 'B', '2', 'Connection', 'close, a'],
    ]);
  });

  it('gives each request a list of its own', () => {
    read(withLines('Via: 1'));
    const { headers } = reader;
    read(withLines('Via: 2'));
    expect(headers).toEqual(['Via', '1']);
    expect(reader.headers).not.toBe(headers);
  });

  it.for([
    ['Content-Length: 5', 5],
    ['content-length: 0005', 5],
    ['CONTENT-LENGTH: 0', 0],
    ['Transfer-Encoding: chunked', CHUNKED],
    ['transfer-encoding: Chunked', CHUNKED],
  ] as const)('says by %j how long its body is', ([line, length]) => {
    expect(read(withLines(line))).toBe(WHOLE);
    expect(reader.bodyLength).toBe(length);
  });

  it.for([
    ['close', true],
    ['Close', true],
    ['foo, CLOSE ,bar', true],
    ['keep-alive', false],
    ['Keep-Alive, x-close', false],
    ['closed', false],
  ] as const)('with Connection: %s asks for the end: %s', ([value, asks]) => {
    read(withLines(`Connection: ${value}`));
    expect(reader.asksToClose).toBe(asks);
  });

  it('may be as large as the limits say', () => {
    const fields = Array.from({ length: 98 }, (_, i) => `X-${i}: y`);
    expect(read(withLines(...fields, 'X: y'))).toBe(WHOLE);
    expect(read(withLines(...fields, 'X: y', 'X: y'))).toBe(ODD);
    expect(read(`GET /${'x'.repeat(8191)} HTTP/1.1\r\nHost: a\r\n\r\n`)).toBe(WHOLE);
    expect(read(`GET /${'x'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`)).toBe(ODD);
    const room = 32 * 1024 - 'Host: a\r\n'.length - 'X: \r\n'.length;
    expect(read(withLines(`X: ${'y'.repeat(room)}`))).toBe(WHOLE);
    expect(read(withLines(`X: ${'y'.repeat(room + 1)}`))).toBe(ODD);
  });
});

describe('a head that is not whole', () => {
  const head = withLines('X-A: b', 'Content-Length: 3');

  it('is waited for at whatever octet it breaks off', () => {
    for (let length = 0; length < head.length; length++) {
      expect([length, read(head.slice(0, length))]).toEqual([length, PARTIAL]);
    }
    expect(read(head)).toBe(WHOLE);
  });

  it.for([
    'get',
    'GET  ',
    'GET http:',
    'GET /a b',
    'GET /a HTTP/1.0',
    'GET /a HTTP/1.1\n',
    'GET /a HTTP/1.1\r\nX : ',
    'GET /a HTTP/1.1\r\nX: a\n',
    'GET /a HTTP/1.1\r\nX: a\r\n ',
    'GET /a HTTP/1.1\r\nX: a\r\n\rX',
    '\r\n',
    '\x16\x03\x01',
  ])('but begins oddly is not: %j', (text) => expect(read(text)).toBe(ODD));

  it('but is larger than any may be is not', () => {
    expect(read(`GET /${'x'.repeat(8193)}`)).toBe(ODD);
    expect(read(`GET / HTTP/1.1\r\nX: ${'y'.repeat(40 * 1024)}`)).toBe(ODD);
  });
});

describe('a head that only another lane understands', () => {
  it.for([
    ['another method', 'PROPFIND /a HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an absolute-form target', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target beyond ASCII', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\nX: a\r\n\r\n'],
    ['two Hosts', withLines('Host: a')],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['an expectation', withLines('Expect: 100-continue')],
    ['an upgrade', withLines('Upgrade: websocket')],
    ['Proxy-Connection', withLines('Proxy-Connection: close')],
    ['two lengths', withLines('Content-Length: 1', 'content-length: 1')],
    ['a length and chunks', withLines('Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['chunks and a length', withLines('Transfer-Encoding: chunked', 'Content-Length: 1')],
    ['two codings', withLines('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
    ['another coding', withLines('Transfer-Encoding: gzip, chunked')],
    ['a list of lengths', withLines('Content-Length: 1, 1')],
    ['a length with a sign', withLines('Content-Length: +1')],
    ['an empty length', withLines('Content-Length:')],
    ['a length beyond counting', withLines('Content-Length: 9999999999999999')],
    ['a folded line', withLines('X: a', ' b')],
    ['a space before the colon', withLines('X : a')],
    ['an empty name', withLines(': a')],
    ['a control character', withLines('X: \x01')],
    ['a bare CR', withLines('X: a\rb')],
    ['a bare LF', withLines('X: a\nY: b')],
  ] as const)('has %s', ([, text]) => expect(read(text)).toBe(ODD));
});
