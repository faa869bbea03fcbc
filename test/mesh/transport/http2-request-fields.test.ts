import { describe, expect, it } from 'vitest';
import {
  toFieldListBytes,
  toRequestFields,
  toTrailerFields,
} from '../../../src/mesh/transport/http2-request-fields.ts';
import { RequestSyntaxError } from '../../../src/mesh/transport/request-syntax.ts';
import { readyBody } from '../../contracts/test-body-source.ts';
import { requestOf } from '../../contracts/upstream-origin.ts';

const ORIGIN = { scheme: 'http', authority: '10.0.0.1:80' } as const;

function fieldsAfterPseudo(changes: Parameters<typeof requestOf>[0]): string[] {
  return toRequestFields(requestOf(changes), ORIGIN).slice(8);
}

describe('the fields of an HTTP/2 request', () => {
  it('begin with the pseudo-headers', () => {
    const request = requestOf({ method: 'DELETE', target: '/a?b', authority: 'shop.example' });
    expect(toRequestFields(request, { ...ORIGIN, scheme: 'https' })).toEqual([
      ':method',
      'DELETE',
      ':scheme',
      'https',
      ':authority',
      'shop.example',
      ':path',
      '/a?b',
    ]);
  });

  it('name the endpoint where the request names no host', () => {
    const fields = toRequestFields(requestOf({ authority: '' }), ORIGIN);
    expect(fields.slice(4, 6)).toEqual([':authority', '10.0.0.1:80']);
  });

  it('take lines that are text apart, before the others', () => {
    const text = 'X-A: 1\r\nHost: other\r\nX-B: \r\n';
    const headers = ['X-C', '3'];
    expect(fieldsAfterPseudo({ text, headers })).toEqual(['x-a', '1', 'x-b', '', 'x-c', '3']);
    expect(() => fieldsAfterPseudo({ text: 'X A: 1\r\n' })).toThrow(RequestSyntaxError);
  });

  it('are in lower case, in order, repeated ones apart', () => {
    const headers = ['X-B', '1', 'Accept', 'a', 'X-B', '2'];
    expect(fieldsAfterPseudo({ headers })).toEqual(['x-b', '1', 'accept', 'a', 'x-b', '2']);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Host',
    'Content-Length',
    'Expect',
  ])('leave out %s', (name) => {
    expect(fieldsAfterPseudo({ headers: [name, 'x', 'a', 'b'] })).toEqual(['a', 'b']);
  });

  it('keep TE for trailers alone', () => {
    expect(fieldsAfterPseudo({ headers: ['TE', 'trailers', 'te', 'gzip'] })).toEqual([
      'te',
      'trailers',
    ]);
  });

  it('declare the length of a body where it is known', () => {
    const known = readyBody('abc', { length: 3 });
    expect(fieldsAfterPseudo({ method: 'POST', body: known })).toEqual(['content-length', '3']);
    expect(fieldsAfterPseudo({ method: 'POST', body: readyBody('abc') })).toEqual([]);
  });

  it('say that there is no body where the method means one', () => {
    expect(fieldsAfterPseudo({ method: 'POST' })).toEqual(['content-length', '0']);
    expect(fieldsAfterPseudo({ method: 'GET' })).toEqual([]);
  });

  it('expect 100-continue only for a body', () => {
    const expecting = { method: 'PUT', expectContinue: true };
    expect(fieldsAfterPseudo({ ...expecting, body: readyBody('a', { length: 1 }) })).toEqual([
      'expect',
      '100-continue',
      'content-length',
      '1',
    ]);
    expect(fieldsAfterPseudo(expecting)).toEqual(['content-length', '0']);
  });

  it('make an upgrade an extended CONNECT, without the key', () => {
    const headers = ['Sec-WebSocket-Key', 'x', 'Sec-WebSocket-Version', '13'];
    const fields = toRequestFields(requestOf({ upgrade: 'WebSocket', headers }), ORIGIN);
    expect(fields.slice(0, 2)).toEqual([':method', 'CONNECT']);
    expect(fields.slice(8)).toEqual([':protocol', 'websocket', 'sec-websocket-version', '13']);
  });

  it.each([
    ['a field value with a line break', { headers: ['a', 'b\nc'] }],
    ['a field name with a space', { headers: ['a b', 'c'] }],
    ['a pseudo-header among the fields', { headers: [':path', '/other'] }],
    ['a target with a space', { target: '/ HTTP/1.1' }],
    ['an authority with a line break', { authority: 'a\r\nb' }],
    ['a method that is no token', { method: 'GET /' }],
    ['CONNECT', { method: 'CONNECT' }],
  ])('are refused for %s', (_, changes) => {
    expect(() => toRequestFields(requestOf(changes), ORIGIN)).toThrow(RequestSyntaxError);
  });
});

describe('the trailers of an HTTP/2 request', () => {
  it('are grouped by name, without framing', () => {
    const trailers = toTrailerFields(['X-A', '1', 'Content-Length', '5', 'x-a', '2', 'b', '3']);
    expect({ ...trailers }).toEqual({ 'x-a': ['1', '2'], b: ['3'] });
  });

  it('take __proto__ for a name like any other', () => {
    expect(Object.keys(toTrailerFields(['__proto__', 'x']))).toEqual(['__proto__']);
  });
});

it('a field list is measured with 32 bytes for each field', () => {
  expect(toFieldListBytes(['ab', 'cde', 'f', ''])).toBe(5 + 32 + 1 + 32);
});
