import { describe, expect, it } from 'vitest';
import {
  CheckShare,
  parseChecker,
  toCheckCode,
  toCheckerValue,
  type Checker,
} from '../../../src/mesh/health/verdict-share.ts';

const IDS = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}:8080`);

function checker(node: string, ids: readonly string[]): Checker {
  return { node, from: `orders@${node}`, key: 'k', covers: new Set(ids.map(toCheckCode)) };
}

/** What nodes check in the end, each hearing of the others what they said the round before. */
function divide(lists: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  let checked: Record<string, string[]> = Object.fromEntries(
    Object.keys(lists).map((node) => [node, []]),
  );
  for (let round = 0; round < 4; round += 1) {
    const before = checked;
    checked = Object.fromEntries(
      Object.entries(lists).map(([node, known]) => {
        const others = Object.keys(lists).filter((other) => other !== node);
        const share = new CheckShare(
          node,
          others.map((other) => checker(other, before[other]!)),
        );
        return [node, known.filter((id) => share.isOwn(id))];
      }),
    );
  }
  return checked;
}

describe('checks among nodes', () => {
  it('are all done, each by one of them, in about equal parts', () => {
    const checked = divide({ a: IDS, b: IDS, c: IDS, d: IDS, e: IDS });
    expect(Object.values(checked).flat().toSorted()).toEqual(IDS.toSorted());
    for (const part of Object.values(checked)) {
      expect(part.length).toBeGreaterThan(15);
      expect(part.length).toBeLessThan(75);
    }
  });

  it('are done by those that know the endpoint', () => {
    const checked = divide({ a: IDS, b: [...IDS, 'new'], c: IDS });
    expect(checked['b']).toContain('new');
    expect(Object.values(checked).flat()).toHaveLength(IDS.length + 1);
  });

  it('are all one’s own where nobody else is heard', () => {
    const alone = new CheckShare('a', []);
    expect(IDS.every((id) => alone.isOwn(id))).toBe(true);
    expect(alone.witnessOf(IDS[0]!)).toBeUndefined();
  });

  it('stay with who does them until who comes before him does', () => {
    const before = new CheckShare('a', [checker('b', [])]);
    expect(IDS.every((id) => before.isOwn(id))).toBe(true);
    const after = new CheckShare('a', [checker('b', IDS)], before);
    const left = IDS.filter((id) => !after.isOwn(id));
    expect(left.length).toBeGreaterThan(50);
    expect(left.every((id) => after.witnessOf(id)?.node === 'b')).toBe(true);
    const again = new CheckShare('a', [], after);
    expect(IDS.every((id) => again.isOwn(id))).toBe(true);
  });
});

describe('what a checker covers', () => {
  it('takes 8 bytes an endpoint, and is read back', () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:8080`);
    const { node, key, covers } = checker('b', ids);
    expect(covers.size).toBe(10_000);
    const value = toCheckerValue({ node, key, covers });
    expect(JSON.stringify(value).length).toBeLessThan(80_100);
    expect(parseChecker('orders@b', value)).toEqual({ node, from: 'orders@b', key, covers });
  });

  it('goes by 48 bits of an id, so that two of them hardly ever pass for one', () => {
    const codes = IDS.map(toCheckCode);
    expect(Math.max(...codes)).toBeGreaterThan(2 ** 47);
    expect(Math.max(...codes)).toBeLessThan(2 ** 48);
    for (let bit = 0; bit < 48; bit += 1) {
      const set = codes.filter((code) => Math.floor(code / 2 ** bit) % 2 === 1).length;
      expect(set).toBeGreaterThan(60);
      expect(set).toBeLessThan(140);
    }
  });

  it('is nothing where it covers none', () => {
    expect(toCheckerValue(checker('b', []))).toBeUndefined();
  });

  it.each([null, 1, 'x', {}, { node: 'b', key: 'k', covers: 7 }])('is not %j', (value) => {
    expect(parseChecker('orders@b', value)).toBeUndefined();
  });
});
