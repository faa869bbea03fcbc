/** Hosts with and without ports, and what is none. */
import { describe, expect, it } from 'vitest';
import { parseAuthority } from '../../../src/gateway/routing/host-name.ts';

describe('parseAuthority', () => {
  it.each([
    ['example.com', 'example.com', undefined],
    ['API.Example.COM', 'api.example.com', undefined],
    ['example.com:8443', 'example.com', 8443],
    ['example.com:', 'example.com', undefined],
    ['example.com.', 'example.com', undefined],
    ['Example.com.:80', 'example.com', 80],
    ['localhost', 'localhost', undefined],
    ['under_score.test', 'under_score.test', undefined],
    ['127.0.0.1:65535', '127.0.0.1', 65_535],
    ['[::1]', '[::1]', undefined],
    ['[2001:DB8::1]:443', '[2001:db8::1]', 443],
    ['__proto__', '__proto__', undefined],
  ])('reads %s', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port });
  });

  it.each([
    'user@example.com',
    'a b',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    'a,b',
    'ex%61mple.com',
    '\xe9.com',
    'a\x00',
    '.',
    '.a',
    'a..b',
    'a..',
    ':80',
    'a:65536',
    'a:+80',
    'a:8x',
    'a:1:2',
    'a:000080',
    '[::1',
    '[]',
    '[127.0.0.1]',
    '[fe80::1%eth0]',
    '[v1.a]',
    '[::1]x',
    '[::1]:x',
    '::1',
    'a'.repeat(256),
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeUndefined();
  });

  it('takes an empty host only where the caller does', () => {
    expect(parseAuthority('')).toBeUndefined();
    expect(parseAuthority('', true)).toEqual({ host: '', port: undefined });
  });
});
