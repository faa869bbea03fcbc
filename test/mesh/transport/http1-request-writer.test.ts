import { describe, expect, it } from 'vitest';
import { toChunkedEnd, toRequestHead } from '../../../src/mesh/transport/http1-request-writer.ts';
import { RequestSyntaxError } from '../../../src/mesh/transport/request-syntax.ts';
import { readyBody } from '../../contracts/test-body-source.ts';
import { requestOf } from '../../contracts/upstream-origin.ts';

describe('toRequestHead', () => {
  it('writes the request line, Host first, and the fields as they are', () => {
    const headers = ['accept', '*/*', 'X-Two', 'a', 'X-Two', 'b', 'x-empty', ''];
    expect(toRequestHead(requestOf({ target: '/a?b', authority: 'c.d:81', headers }))).toBe(
      'GET /a?b HTTP/1.1\r\nHost: c.d:81\r\naccept: */*\r\nX-Two: a\r\nX-Two: b\r\nx-empty: \r\n\r\n',
    );
  });

  it('writes lines that are text before the fields, as they are', () => {
    const text = 'X-A: 1\r\nx-b: \r\n';
    expect(toRequestHead(requestOf({ text, headers: ['X-C', '3'] }))).toBe(
      'GET / HTTP/1.1\r\nHost: origin.test\r\nX-A: 1\r\nx-b: \r\nX-C: 3\r\n\r\n',
    );
  });

  it.each([
    ['GET', undefined, ''],
    ['DELETE', undefined, ''],
    ['POST', undefined, 'Content-Length: 0\r\n'],
    ['PUT', undefined, 'Content-Length: 0\r\n'],
    ['PATCH', undefined, 'Content-Length: 0\r\n'],
    ['POST', readyBody('', { length: 0 }), 'Content-Length: 0\r\n'],
    ['GET', readyBody('abc', { length: 3 }), 'Content-Length: 3\r\n'],
    ['POST', readyBody('abc'), 'Transfer-Encoding: chunked\r\n'],
  ])('frames %s by what is known of its body', (method, body, framing) => {
    expect(toRequestHead(requestOf({ method, body }))).toBe(
      `${method} / HTTP/1.1\r\nHost: origin.test\r\n${framing}\r\n`,
    );
  });

  it('lets no field of the request compete with its own framing', () => {
    const headers = [
      ['Content-Length', '7'],
      ['transfer-encoding', 'chunked'],
      ['HOST', 'evil.test'],
      ['Connection', 'close'],
      ['Keep-Alive', 'timeout=1'],
      ['Proxy-Connection', 'close'],
      ['Upgrade', 'h2c'],
      ['Expect', '100-continue'],
      ['TE', 'trailers'],
      ['X-Kept', 'yes'],
    ].flat();
    expect(toRequestHead(requestOf({ headers }))).toBe(
      'GET / HTTP/1.1\r\nHost: origin.test\r\nX-Kept: yes\r\n\r\n',
    );
  });

  it('asks for an upgrade', () => {
    expect(toRequestHead(requestOf({ upgrade: 'websocket' }))).toBe(
      'GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
  });

  it('expects 100 Continue only where there is a body', () => {
    const body = readyBody('a', { length: 1 });
    expect(toRequestHead(requestOf({ method: 'PUT', body, expectContinue: true }))).toContain(
      '\r\nExpect: 100-continue\r\n',
    );
    expect(toRequestHead(requestOf({ method: 'PUT', expectContinue: true }))).not.toContain(
      'Expect',
    );
  });

  it('keeps obs-text octet by octet', () => {
    const head = toRequestHead(requestOf({ headers: ['x-a', '\u00e9\u00ff\t'] }));
    expect(Buffer.from(head, 'latin1').includes(Buffer.from([0xe9, 0xff, 0x09]))).toBe(true);
  });

  it.each([
    ['CR in a value', { headers: ['a', 'b\rc'] }],
    ['LF in a value', { headers: ['a', 'b\nc'] }],
    ['NUL in a value', { headers: ['a', 'b\0c'] }],
    ['a value that latin1 would turn into LF', { headers: ['a', 'b\u010ac'] }],
    ['a line break in a name', { headers: ['a\r\nb', 'c'] }],
    ['a colon in a name', { headers: ['a:', 'c'] }],
    ['an empty name', { headers: ['', 'c'] }],
    ['a space in the target', { target: '/a b' }],
    ['a line break in the target', { target: '/a\r\nb' }],
    ['an empty target', { target: '' }],
    ['a line break in the authority', { authority: 'a\r\nb' }],
    ['a space in the method', { method: 'GET /' }],
    ['an empty method', { method: '' }],
    ['CONNECT', { method: 'CONNECT' }],
    ['a line break in the upgrade token', { upgrade: 'a\r\nb' }],
  ])('refuses %s', (_, changes) => {
    expect(() => toRequestHead(requestOf(changes))).toThrow(RequestSyntaxError);
  });
});

describe('toChunkedEnd', () => {
  it('is the last chunk alone where there are no trailers', () => {
    expect(toChunkedEnd(undefined)).toBe('0\r\n\r\n');
    expect(toChunkedEnd([])).toBe('0\r\n\r\n');
  });

  it('writes trailers, but none that would reframe the message', () => {
    expect(toChunkedEnd(['x-a', 'b', 'Content-Length', '9', 'host', 'c'])).toBe(
      '0\r\nx-a: b\r\n\r\n',
    );
  });

  it('refuses a trailer that breaks its line', () => {
    expect(() => toChunkedEnd(['x-a', 'b\r\nc: d'])).toThrow(RequestSyntaxError);
  });
});
