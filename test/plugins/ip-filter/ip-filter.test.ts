/** ip-filter. */
import { describe, expect, it } from 'vitest';
import { ipFilter } from '../../../src/plugins/ip-filter/ip-filter.ts';
import { configure, createTestContext, createTestExchange } from '../fixtures.ts';

function admits(config: object): (ip: string) => boolean {
  const hooks = ipFilter.create(configure(ipFilter, config), createTestContext());
  return (ip) => hooks.onRequest!(createTestExchange({ ip })) === undefined;
}

describe('ip-filter', () => {
  it('refuses with 403 forbidden', () => {
    const hooks = ipFilter.create(
      configure(ipFilter, { deny: ['192.0.2.0/24'] }),
      createTestContext(),
    );
    expect(hooks.onRequest!(createTestExchange({ ip: '192.0.2.7' }))).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });

  it.each([
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
    ['10.1.2.3/8', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0']],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127', '192.0.3.0']],
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['192.0.2.7/32', ['192.0.2.7'], ['192.0.2.8']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::1', '2001:db8::1']],
    ['::ffff:10.0.0.0/104', ['10.1.1.1', '::ffff:10.1.1.1'], ['11.0.0.0', '::1']],
    [
      '2001:db8::/32',
      ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
      ['2001:db9::', '2001:db7:ffff::'],
    ],
    ['2001:db8::/47', ['2001:db8:0:1::', '2001:db8:1::1'], ['2001:db8:2::']],
    ['2001:db8::1', ['2001:db8::1', '2001:DB8:0:0::1'], ['2001:db8::2', '2001:db8::']],
    ['::/0', ['::', 'ffff::1'], ['192.0.2.7', '::ffff:192.0.2.7']],
    ['::192.0.2.7', ['::192.0.2.7', '::c000:207'], ['192.0.2.7']],
    ['::ffff:0:0/80', ['::1:0:1', '::2'], ['192.0.2.7']],
  ])('takes %s for what it names', (range, inside, outside) => {
    const allows = admits({ allow: [range] });
    const denies = admits({ deny: [range] });
    for (const ip of inside) expect([ip, allows(ip), denies(ip)]).toEqual([ip, true, false]);
    for (const ip of outside) expect([ip, allows(ip), denies(ip)]).toEqual([ip, false, true]);
  });

  it('lets deny win over allow', () => {
    const admitted = admits({ allow: ['10.0.0.0/8', '::1'], deny: ['10.6.0.0/16'] });
    expect(admitted('10.5.0.1')).toBe(true);
    expect(admitted('10.6.0.1')).toBe(false);
    expect(admitted('::1')).toBe(true);
    expect(admitted('::2')).toBe(false);
  });

  it('finds an address among overlapping and nested ranges in any order', () => {
    const admitted = admits({
      allow: [
        '10.1.0.0/16',
        '10.0.0.0/8',
        '10.0.0.1',
        '172.16.0.0/12',
        '2001:db8:5::/48',
        '2001:db8::/32',
        '9.9.9.9',
      ],
    });
    for (const ip of [
      '10.200.0.1',
      '10.0.0.1',
      '10.255.255.255',
      '172.31.255.255',
      '9.9.9.9',
      '2001:db8:6::1',
    ]) {
      expect([ip, admitted(ip)]).toEqual([ip, true]);
    }
    for (const ip of ['11.0.0.0', '172.32.0.0', '9.9.9.8', '9.9.9.10', '2001:db9::']) {
      expect([ip, admitted(ip)]).toEqual([ip, false]);
    }
  });

  it('agrees with a plain search over a long list', () => {
    const ranges = Array.from(
      { length: 500 },
      (_, i) => `${(i * 37) % 256}.${(i * 91) % 256}.0.0/${12 + (i % 13)}`,
    );
    const denied = admits({ deny: ranges });
    const toInteger = (ip: string) =>
      ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const plain = ranges.map((range) => {
      const [ip, bits] = range.split('/') as [string, string];
      return { network: toInteger(ip), size: 2 ** (32 - Number(bits)) };
    });
    for (let i = 0; i < 2000; i++) {
      const ip = `${(i * 7) % 256}.${(i * 13) % 256}.${(i * 29) % 256}.${i % 256}`;
      const hit = plain.some(
        ({ network, size }) => Math.floor(toInteger(ip) / size) === Math.floor(network / size),
      );
      expect([ip, denied(ip)]).toEqual([ip, !hit]);
    }
  });

  it('lets in nobody whose address cannot be read', () => {
    expect(admits({ allow: ['0.0.0.0/0', '::/0'] })('')).toBe(false);
    expect(admits({ deny: ['10.0.0.0/8'] })('unknown')).toBe(false);
  });
});

describe("ip-filter's configuration", () => {
  it.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '010.0.0.0/8',
    '10.0.0.0/255.0.0.0',
    'fe80::1%eth0',
    'localhost',
    '',
  ])('refuses %j and says where it stands', (range) => {
    expect(() => configure(ipFilter, { deny: ['10.0.0.1', range] })).toThrow(
      /^deny\[1\]: .* is no address range/,
    );
  });

  it('reports every wrong range', () => {
    expect(() => configure(ipFilter, { allow: ['a', '10.0.0.1'], deny: ['b'] })).toThrow(
      /^allow\[0\]: .*\ndeny\[0\]: /,
    );
  });

  it.each([{}, { allow: [] }, { deny: [], allow: ['::1'] }, { block: ['::1'] }])(
    'refuses %j',
    (config) => {
      expect(() => configure(ipFilter, config)).toThrow(
        /give allow, deny or both|fewer than 1 items|additional/,
      );
    },
  );
});
