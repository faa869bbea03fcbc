import { describe, expect, it } from 'vitest';
import { isOwnHost } from '../../src/admin/host-guard.ts';

describe('the Host of the admin API', () => {
  it.each([
    'localhost',
    'LOCALHOST:8001',
    'localhost.',
    '127.0.0.1',
    '127.0.0.1:8001',
    // The end of a tunnel.
    '127.0.0.1:9999',
    '127.8.9.1',
    '[::1]',
    '[::1]:8001',
  ])('may be %s', (host) => {
    expect(isOwnHost(host, '127.0.0.1', '127.0.0.1')).toBe(true);
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:8001',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.evil.example',
    '10.0.0.1',
    '[::2]',
    '::1',
    'localhost:8001:8001',
    'localhost/',
    'user@localhost',
    'localhost evil.example',
    'localhost:port',
  ])('may not be %s', (host) => {
    expect(isOwnHost(host, '127.0.0.1', '127.0.0.1')).toBe(false);
  });

  it('may be the configured name or address, and the address that the connection came in by', () => {
    expect(isOwnHost('Admin.Internal:8001', 'admin.internal', '10.0.0.1')).toBe(true);
    expect(isOwnHost('[fd00::7]:8001', 'fd00::7', 'fd00::7')).toBe(true);
    expect(isOwnHost('10.0.0.1:8001', '0.0.0.0', '10.0.0.1')).toBe(true);
    expect(isOwnHost('10.0.0.1:8001', '::', '::ffff:10.0.0.1')).toBe(true);
    expect(isOwnHost('10.0.0.2:8001', '0.0.0.0', '10.0.0.1')).toBe(false);
    expect(isOwnHost('evil.example', '0.0.0.0', '10.0.0.1')).toBe(false);
  });
});
