/** headers. */
import { describe, expect, it } from 'vitest';
import { headers } from '../../../src/plugins/headers/headers.ts';
import { configure, createTestContext, createTestExchange } from '../fixtures.ts';

const create = (config: object) => headers.create(configure(headers, config), createTestContext());

describe('headers', () => {
  it('sets, adds and removes fields of the request', () => {
    const exchange = createTestExchange({
      headers: ['X-Env', 'a', 'x-env', 'b', 'X-Debug', '1', 'Accept', 'text/html'],
    });
    const hooks = create({
      request: { set: { 'x-env': 'canary' }, add: { Accept: 'text/plain' }, remove: ['x-debug'] },
    });
    expect(hooks.onRequest!(exchange)).toBeUndefined();
    expect(exchange.request.headers.raw).toEqual([
      'Accept',
      'text/html',
      'x-env',
      'canary',
      'Accept',
      'text/plain',
    ]);
    expect('onResponse' in hooks).toBe(false);
  });

  it('sets, adds and removes fields of the answer', () => {
    const exchange = createTestExchange({
      responseHeaders: ['Server', 'x', 'Set-Cookie', 'a=1', 'Cache-Control', 'private'],
    });
    const hooks = create({
      response: {
        set: { 'Cache-Control': 'no-store', 'X-Frame-Options': 'DENY' },
        add: { 'Set-Cookie': ['b=2', 'c=3'] },
        remove: ['server'],
      },
    });
    expect(hooks.onResponse!(exchange)).toBeUndefined();
    expect(exchange.response.headers.raw).toEqual([
      'Set-Cookie',
      'a=1',
      'Cache-Control',
      'no-store',
      'X-Frame-Options',
      'DENY',
      'Set-Cookie',
      'b=2',
      'Set-Cookie',
      'c=3',
    ]);
    expect('onRequest' in hooks).toBe(false);
  });

  it('does nothing where a field to remove is not there', () => {
    const exchange = createTestExchange({ headers: ['A', '1'] });
    void create({ request: { remove: ['b'] } }).onRequest!(exchange);
    expect(exchange.request.headers.raw).toEqual(['A', '1']);
  });

  it('takes values as they are, without templates', () => {
    const exchange = createTestExchange();
    void create({ request: { set: { 'X-T': '{{ip}} $host' } } }).onRequest!(exchange);
    expect(exchange.request.headers.get('x-t')).toBe('{{ip}} $host');
  });
});

describe("headers' configuration", () => {
  it.each([
    'Connection',
    'transfer-encoding',
    'Content-Length',
    'HOST',
    'TE',
    'Trailer',
    'Upgrade',
    'Keep-Alive',
    'Proxy-Authorization',
    'Proxy-Connection',
    'Expect',
  ])('refuses to touch %s of a request in any way', (name) => {
    expect(() => configure(headers, { request: { set: { [name]: 'x' } } })).toThrow(
      `request.set.${name}: ${name} `,
    );
    expect(() => configure(headers, { request: { add: { [name]: 'x' } } })).toThrow(
      `request.add.${name}: ${name} `,
    );
    expect(() => configure(headers, { request: { remove: ['ok', name] } })).toThrow(
      `request.remove[1]: ${name} `,
    );
  });

  it('points to rewrite.host for the host', () => {
    expect(() => configure(headers, { request: { set: { host: 'a' } } })).toThrow('rewrite.host');
  });

  it.each([
    'Connection',
    'Transfer-Encoding',
    'content-length',
    'Upgrade',
    'Keep-Alive',
    'Trailer',
  ])('refuses to touch %s of an answer', (name) => {
    expect(() => configure(headers, { response: { set: { [name]: 'x' } } })).toThrow(
      `response.set.${name}`,
    );
  });

  it.each([
    [
      { set: { 'X-A': '1' }, add: { 'x-a': '2' } },
      'request.add.x-a: x-a is already changed by set.X-A',
    ],
    [
      { set: { 'X-A': '1' }, remove: ['x-a'] },
      'request.remove[0]: x-a is already changed by set.X-A',
    ],
    [{ remove: ['x-a', 'X-A'] }, 'request.remove[1]: X-A is already changed by remove[0]'],
    [{ set: { 'X-A': '1', 'x-a': '2' } }, 'request.set.x-a: x-a is already changed by set.X-A'],
  ])('refuses a name that is changed in two ways: %j', (request, message) => {
    expect(() => configure(headers, { request })).toThrow(message);
  });

  it.each([
    [{ set: { 'X A': '1' } }, 'request.set.X A: Not a header field name'],
    [{ set: { '': '1' } }, 'request.set.: Not a header field name'],
    [{ set: { ':path': '/' } }, 'request.set.:path: Not a header field name'],
    [{ remove: ['a:b'] }, 'request.remove[0]: Not a header field name'],
    [{ set: { 'X-A': 'a\r\nX-B: c' } }, 'request.set.X-A: The value'],
    [{ add: { 'X-A': ['ok', 'a\0'] } }, 'request.add.X-A[1]: The value'],
  ])('refuses a malformed field: %j', (request, message) => {
    expect(() => configure(headers, { request })).toThrow(message);
  });

  it('reports every issue of both sides', () => {
    const config = { request: { set: { host: 'a' } }, response: { remove: ['connection'] } };
    expect(() => configure(headers, config)).toThrow(/request\.set\.host.*\nresponse\.remove\[0\]/);
  });
});
