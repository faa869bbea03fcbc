import { describe, expect, it } from 'vitest';
import { findAdvertisedHost } from '../../../src/mesh/node/advertised-host.ts';

describe('the address that others are told', () => {
  it('is the one by which the backplane is reached', async () => {
    expect(await findAdvertisedHost({ host: '127.0.0.1', port: 6379 })).toBe('127.0.0.1');
    expect(await findAdvertisedHost({ host: '::1', port: 6379 })).toBe('::1');
  });

  it('looks a name up', async () => {
    expect(await findAdvertisedHost({ host: 'localhost', port: 6379 })).toMatch(
      /^(127\.0\.0\.1|::1)$/,
    );
  });

  it('is loopback where there is no way there', async () => {
    expect(await findAdvertisedHost({ host: 'no-such-host.invalid', port: 6379 })).toBe(
      '127.0.0.1',
    );
  });
});
