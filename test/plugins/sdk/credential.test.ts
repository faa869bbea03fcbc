/** Where credentials are found, and what is left when they are taken out. */
import { describe, expect, it } from 'vitest';
import { AMBIGUOUS, findCredential, removeCredential } from '../../../src/plugins/sdk/plugin.ts';
import { createTestExchange } from '../fixtures.ts';

const withHeaders = (...headers: string[]) => createTestExchange({ headers }).request;
const withQuery = (query: string) => createTestExchange({ query }).request;

describe('a credential', () => {
  it('is found in a header field, once', () => {
    expect(findCredential(withHeaders('X-Key', 'a'), { header: 'x-key' })).toBe('a');
    expect(findCredential(withHeaders(), { header: 'x-key' })).toBeUndefined();
    expect(findCredential(withHeaders('x-key', 'a', 'X-KEY', 'a'), { header: 'x-key' })).toBe(
      AMBIGUOUS,
    );
  });

  it('is found in a cookie, over one line or several', () => {
    expect(findCredential(withHeaders('cookie', 'a=1; t=x=y'), { cookie: 't' })).toBe('x=y');
    expect(findCredential(withHeaders('cookie', 'a=1', 'cookie', 't="x"'), { cookie: 't' })).toBe(
      'x',
    );
    expect(findCredential(withHeaders('cookie', 'tt=1; T=2; t'), { cookie: 't' })).toBeUndefined();
    expect(findCredential(withHeaders('cookie', 't=1', 'cookie', 't=2'), { cookie: 't' })).toBe(
      AMBIGUOUS,
    );
  });

  it('is found in the query, however its name is spelled', () => {
    expect(findCredential(withQuery('?a=1&%74=x%20y'), { query: 't' })).toBe('x y');
    expect(findCredential(withQuery(''), { query: 't' })).toBeUndefined();
    expect(findCredential(withQuery('?t=1&%74=1'), { query: 't' })).toBe(AMBIGUOUS);
  });

  it.each([
    ['?t=1', ''],
    ['?t=1&%74=2', ''],
    ['?&t=1', ''],
    ['?a&t', '?a'],
    // Nothing of it is there: the target goes on as it came (RFC 3986 §6.2.3: `/a` and `/a?` differ).
    ['', ''],
    ['?', '?'],
    ['?&', '?&'],
    ['?a=1&t=1', '?a=1'],
    ['?%74=1&a=%7E&&b', '?a=%7E&&b'],
    ['??t=1', '??t=1'],
    ['?tt=1&T=2', '?tt=1&T=2'],
  ])('is taken out of the query %s, which leaves %j', (query, left) => {
    const request = withQuery(query);
    removeCredential(request, { query: 't' });
    expect(request.query).toBe(left);
  });

  it('is taken out of the cookies, and the field with it where nothing is left', () => {
    const several = withHeaders('Cookie', 'a=1; t=x', 'Cookie', 'b=2');
    removeCredential(several, { cookie: 't' });
    expect(several.headers.getAll('cookie')).toEqual(['a=1; b=2']);
    const alone = withHeaders('Cookie', 't=x');
    removeCredential(alone, { cookie: 't' });
    expect(alone.headers.has('cookie')).toBe(false);
    const ended = withHeaders('Cookie', 't=x;');
    removeCredential(ended, { cookie: 't' });
    expect(ended.headers.has('cookie')).toBe(false);
  });

  it('leaves cookies as they came where it is not among them', () => {
    const lines = ['Cookie', 'a=1;b=2;', 'Accept', '*/*', 'COOKIE', ' c=3'];
    const request = withHeaders(...lines);
    removeCredential(request, { cookie: 't' });
    expect(request.headers.raw).toEqual(lines);
  });

  it('is taken out of the header fields', () => {
    const request = withHeaders('X-Key', 'a', 'Accept', '*/*');
    removeCredential(request, { header: 'x-key' });
    expect(request.headers.raw).toEqual(['Accept', '*/*']);
  });
});
