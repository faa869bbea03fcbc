import { describe, expect, it } from 'vitest';
import { toPage } from '../../src/admin/listing.ts';

const identity = (key: string): string => key;

function pagesOf(items: readonly string[], size: number): string[][] {
  const pages: string[][] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = toPage(items, identity, {
      page_size: size,
      ...(cursor !== undefined && { cursor }),
    });
    pages.push([...page.items]);
    cursor = page.next_cursor;
  }
  return pages;
}

describe('pages', () => {
  it('hold every item once, in order', () => {
    expect(pagesOf(['a', 'b', 'c', 'd', 'e'], 2)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(pagesOf(['a', 'b'], 2)).toEqual([['a', 'b']]);
    expect(pagesOf([], 2)).toEqual([[]]);
  });

  it('have up to 100 items unless told', () => {
    const items = Array.from({ length: 101 }, (_, i) => String(i + 1000));
    expect(toPage(items, identity, {}).items.length).toBe(100);
  });

  it('go on after the last key, whatever came or went meanwhile', () => {
    const { next_cursor: cursor } = toPage(['a', 'c', 'e', 'g'], identity, { page_size: 2 });
    const next = toPage(['b', 'd', 'e', 'g'], identity, { page_size: 2, cursor: cursor! });
    expect(next.items).toEqual(['d', 'e']);
    expect(toPage(['a', 'b'], identity, { cursor: cursor! })).toEqual({
      items: [],
      next_cursor: null,
    });
  });

  it('bear keys of any characters', () => {
    const items = ['orders\0[::1]:80', 'orders\0é/…', 'ünïcode\0x'].toSorted();
    expect(pagesOf(items, 1).flat()).toEqual(items);
  });

  it.each(['', '!', 'YQ==', 'Y'])('refuse %j, which is no cursor', (cursor) => {
    expect(() => toPage(['a'], identity, { cursor })).toThrow('not valid');
  });
});
