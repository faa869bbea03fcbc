/** How a claim looks in a header field. */
import { describe, expect, it } from 'vitest';
import { toFieldValue } from '../../../src/plugins/jwt/claim-headers.ts';
import { HeaderFields } from '../../../src/plugins/sdk/plugin.ts';

describe('a claim as a field value', () => {
  it.each([
    ['alice', 'alice'],
    ['Alice B. "x" \\', 'Alice B. "x" \\'],
    [42, '42'],
    [false, 'false'],
    [['a', 'b', 3], 'a,b,3'],
    [['a,b'], 'a%2Cb'],
    ['a,b', 'a,b'],
    [' admin ', '%20admin%20'],
    ['100%', '100%25'],
    ['Žofie', '%C5%BDofie'],
    ['a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
    ['\u0000\u007f', '%00%7F'],
    ['\ud800', '%EF%BF%BD'],
    ['😀', '%F0%9F%98%80'],
    [{ id: 7, n: 'é' }, '{"id":7,"n":"%C3%A9"}'],
    [[], ''],
  ])('%j is %j', (claim, value) => {
    expect(toFieldValue(claim)).toBe(value);
    expect(() => new HeaderFields().set('x-claim', value)).not.toThrow();
  });

  it.each([[undefined], [null]])('%j is none', (claim) => {
    expect(toFieldValue(claim)).toBeUndefined();
  });
});
