import { expect, it } from 'vitest';
import { createRequestId } from '../../../src/gateway/exchange/request-id.ts';

it('gives each request a version 4 UUID of its own, batch after batch', () => {
  const ids = Array.from({ length: 1000 }, createRequestId);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect(new Set(ids).size).toBe(1000);
});

it('leaves no digit but the version and the variant the same', () => {
  const ids = Array.from({ length: 1000 }, createRequestId);
  for (let place = 0; place < 36; place++) {
    const seen = new Set(ids.map((id) => id[place]));
    const wanted = [8, 13, 18, 23, 14].includes(place) ? 1 : place === 19 ? 4 : 16;
    expect([place, seen.size]).toEqual([place, wanted]);
  }
});
