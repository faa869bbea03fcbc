import { describe, expect, it } from 'vitest';
import { parseDelta } from '../../../src/mesh/backplane/delta.ts';

describe('a message of the feed', () => {
  it('is read into puts and removals', () => {
    const text = '{"epoch":"e","rev":7,"delta":[["inst","a",12,"me",{"port":1}],["hint","b"]]}';
    expect(parseDelta(text)).toEqual({
      epoch: 'e',
      revision: 7,
      changes: [
        {
          type: 'put',
          kind: 'inst',
          record: { id: 'a', generation: 12, owner: 'me', value: { port: 1 } },
        },
        { type: 'remove', kind: 'hint', id: 'b' },
      ],
    });
  });

  it('counts as a revision where it speaks of kinds of a newer version', () => {
    const text = '{"epoch":"e","rev":7,"delta":[["novelty","a",1,"",null],["inst","b"]]}';
    expect(parseDelta(text)).toEqual({
      epoch: 'e',
      revision: 7,
      changes: [{ type: 'remove', kind: 'inst', id: 'b' }],
    });
  });

  it('may be one whose content is too large to be told', () => {
    const text = '{"epoch":"e","rev":7,"delta":null}';
    expect(parseDelta(text)).toEqual({ epoch: 'e', revision: 7, changes: undefined });
  });

  it.each([
    '',
    'hello',
    'null',
    '[]',
    '{}',
    '{"epoch":"e","rev":"7","delta":[]}',
    '{"epoch":"e","rev":7.5,"delta":[]}',
    '{"epoch":1,"rev":7,"delta":[]}',
    '{"epoch":"e","rev":7,"delta":{}}',
    '{"epoch":"e","rev":7,"delta":[7]}',
    '{"epoch":"e","rev":7,"delta":[["inst"]]}',
    '{"epoch":"e","rev":7,"delta":[["inst","a","1","me",null]]}',
  ])('is passed over when it is %s', (text) => {
    expect(parseDelta(text)).toBeUndefined();
  });
});
