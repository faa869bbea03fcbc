import { describe, expect, it } from 'vitest';
import { NameSet } from '../../../src/mesh/transport/name-set.ts';

function hashOf(name: string): number {
  let hash = NameSet.SEED;
  for (const octet of Buffer.from(name, 'latin1')) hash = NameSet.hash(hash, octet);
  return hash;
}

describe('a set of names', () => {
  const names = ['connection', 'content-length', 'te', 'x-request-id'];
  const set = new NameSet(names);

  it('has its names in any case', () => {
    for (const name of names) {
      for (const spelling of [name, name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1)]) {
        expect([spelling, set.mayHave(hashOf(spelling))]).toEqual([spelling, true]);
      }
    }
  });

  it('takes few others for one of them', () => {
    const others = Array.from({ length: 4096 }, (_, i) => `x-field-${i}`);
    expect(others.filter((name) => set.mayHave(hashOf(name))).length).toBeLessThan(20);
  });
});
