import { describe, expect, it } from 'vitest';
import { toPeer } from '../../../src/gateway/exchange/client-address.ts';
import type { Connection } from '../../../src/gateway/exchange/connection.ts';

const CONNECTION = { address: '10.0.0.1', port: 4711, protocol: 'http/1.1' } as Connection;

function clientOf(forwardedFor: string): string {
  return toPeer(CONNECTION, forwardedFor, (address) => address.startsWith('10.')).ip;
}

describe('the address of a client behind trusted proxies', () => {
  it.for([
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:DB8:0::1]:5678', '2001:db8::1'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['6.6.6.6, 1.2.3.4, 10.0.0.2', '1.2.3.4'],
  ] as const)('is, of %s, %s', ([forwardedFor, client]) => {
    expect(clientOf(forwardedFor)).toBe(client);
  });

  it.for(['unknown', '', '7', '0177.1', '0x7f000001', '010.1.1.1', '_hidden'])(
    'ends at a hop that is no address: %s',
    (hop) => {
      expect(clientOf(`1.2.3.4, ${hop}, 10.0.0.2`)).toBe('10.0.0.2');
    },
  );
});
