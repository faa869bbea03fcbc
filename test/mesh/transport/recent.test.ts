import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Recent } from '../../../src/mesh/transport/recent.ts';

it('gives what was set for this very text, or nothing', () => {
  const text = fc.oneof(fc.stringMatching(/^[ab]{0,4}$/), fc.string());
  fc.assert(
    fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
      const recent = new Recent<string>();
      for (const one of texts) {
        expect([undefined, `value of ${one}`]).toContain(recent.get(one));
        recent.set(one, `value of ${one}`);
        expect(recent.get(one)).toBe(`value of ${one}`);
      }
    }),
  );
});

it('keeps no long ones', () => {
  const recent = new Recent<number>();
  recent.set('x'.repeat(10_000), 1);
  expect(recent.get('x'.repeat(10_000))).toBeUndefined();
});
