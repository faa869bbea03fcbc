import { expect, it } from 'vitest';
import { drawRequestId, UUID_LENGTH } from '../../../src/gateway/exchange/request-id.ts';

it('gives each request a version 4 UUID of its own, batch after batch', () => {
  const ids = Array.from({ length: 1000 }, () => drawRequestId().text);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect(new Set(ids).size).toBe(1000);
});

it('leaves no digit but the version and the variant the same', () => {
  const ids = Array.from({ length: 1000 }, () => drawRequestId().text);
  for (let place = 0; place < 36; place++) {
    const seen = new Set(ids.map((id) => id[place]));
    const wanted = [8, 13, 18, 23, 14].includes(place) ? 1 : place === 19 ? 4 : 16;
    expect([place, seen.size]).toEqual([place, wanted]);
  }
});

it('has each on its line, as text and in octets', () => {
  for (let i = 0; i < 300; i++) {
    const { text, line, octets, at } = drawRequestId();
    expect(line).toBe(`X-Request-Id: ${text}\r\n`);
    const bytes = Buffer.from(octets!.buffer, at, UUID_LENGTH);
    expect(bytes.toString('latin1')).toBe(text);
  }
});
