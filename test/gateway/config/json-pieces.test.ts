/** What is taken apart is put together again. */
import { assert, jsonValue, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonAssembly, toJsonPieces } from '../../../src/gateway/config/json-pieces.ts';

function throughPieces(value: unknown): { value: unknown; pieces: number } {
  const assembly = new JsonAssembly();
  let pieces = 0;
  for (const piece of toJsonPieces(value)) {
    assembly.add(piece);
    pieces++;
  }
  return { value: assembly.value, pieces };
}

describe('toJsonPieces', () => {
  it('keeps any value as it is', () => {
    assert(
      property(jsonValue(), (value) => {
        expect(JSON.stringify(throughPieces(value).value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it('takes long lists and mappings apart', () => {
    const routes = Array.from({ length: 5_000 }, (_, i) => ({
      name: `route-${i}`,
      to: 'upstream',
    }));
    const services = Object.fromEntries(routes.map(({ name }) => [name, { endpoints: [] }]));
    const result = throughPieces({ meshgate: 1, routes, services });
    expect(result.value).toEqual({ meshgate: 1, routes, services });
    expect(result.pieces).toBeGreaterThan(6);
  });

  it('takes a key like any other that is none to objects', () => {
    const value: unknown = JSON.parse('{"__proto__": {"a": 1}, "b": {"__proto__": 2}}');
    expect(JSON.stringify(throughPieces(value).value)).toBe(
      '{"__proto__":{"a":1},"b":{"__proto__":2}}',
    );
  });
});
