/** Addresses as numbers, held against ipaddr.js where both must agree. */
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/plugins/sdk/plugin.ts';

describe('parsing an address', () => {
  it.each([
    ['0.0.0.0', 0],
    ['192.0.2.7', 0xc0000207],
    ['255.255.255.255', 0xffffffff],
    ['::ffff:192.0.2.7', 0xc0000207],
    ['::ffff:c000:207', 0xc0000207],
    ['::FFFF:192.0.2.7', 0xc0000207],
    ['0:0:0:0:0:ffff:192.0.2.7', 0xc0000207],
  ])('reads %s as the IPv4 integer %d', (text, integer) => {
    expect(parseIpAddress(text)).toBe(integer);
  });

  it.each([
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '2001:DB8::A:b',
    '2001:db8:1:2:3:4:5:6',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1::3:4:5:6:7:8',
    '64:ff9b::192.0.2.33',
    '::1:ffff:102:304',
  ])('reads %s as ipaddr.js does', (text) => {
    expect(parseIpAddress(text)).toEqual((ipaddr.parse(text) as ipaddr.IPv6).parts);
  });

  it('reads an IPv4-compatible address (RFC 4291 §2.5.5.1) as the IPv6 address that it is', () => {
    expect(parseIpAddress('::192.0.2.1')).toEqual([0, 0, 0, 0, 0, 0, 0xc000, 0x0201]);
  });

  it('leaves out a zone', () => {
    expect(parseIpAddress('fe80::1%eth0')).toEqual([0xfe80, 0, 0, 0, 0, 0, 0, 1]);
  });

  it.each([
    '',
    '1',
    '10.1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '256.1.1.1',
    '010.0.0.1',
    '0x7f.0.0.1',
    '1.2.3.4 ',
    'localhost',
    ':',
    ':::',
    '1:',
    ':1',
    '1::2::3',
    '1:::2',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4:5:6:7:',
    '12345::',
    'g::',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::ffff:1.2.3.4:5',
    '[::1]',
  ])('refuses %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });
});
