/** Absolute-form targets, as a proxy's clients send them. */
import { describe, expect, it } from 'vitest';
import { splitAbsoluteForm } from '../../../src/gateway/routing/absolute-form.ts';

describe('splitAbsoluteForm', () => {
  it.each([
    ['http://payments.mesh/a?b', 'http', 'payments.mesh', '/a?b'],
    ['HTTPS://A.example:8443/', 'https', 'A.example:8443', '/'],
    ['http://a', 'http', 'a', '/'],
    ['http://a?b=c', 'http', 'a', '/?b=c'],
    ['http://[::1]:80/a', 'http', '[::1]:80', '/a'],
    ['http://a//b', 'http', 'a', '//b'],
  ])('splits %s', (target, scheme, authority, originForm) => {
    expect(splitAbsoluteForm(target)).toEqual({ scheme, authority, originForm });
  });

  it('leaves a fragment to be refused with the path', () => {
    expect(splitAbsoluteForm('http://a#b')?.originForm).toBe('/#b');
  });

  it('lets no backslash end the authority', () => {
    expect(splitAbsoluteForm('http://a\\@b/')?.authority).toBe('a\\@b');
  });

  it.each(['', '/a', '*', 'a:443', 'http:/a', 'http://', 'http:///a', 'ftp://a/', 'ws://a/'])(
    'refuses %j',
    (target) => {
      expect(splitAbsoluteForm(target)).toBeUndefined();
    },
  );
});
