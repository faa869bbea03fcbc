import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeaderFields, toFieldLine, toFieldList } from '../../../src/plugins/sdk/header-fields.ts';

const NAMES = ['Accept', 'accept', 'X-A', 'Set-Cookie', 'set-cookie', 'a'];
const NAME = fc.constantFrom(...NAMES);
const VALUE = fc.constantFrom('', 'x', 'a: b', 'c:d', ' e', 'f ', 'é', 'text/html, */*');
const LINES = fc.array(fc.tuple(NAME, VALUE), { maxLength: 5 });

const STEP = fc.oneof(
  fc.record({ do: fc.constant('get'), name: NAME }),
  fc.record({ do: fc.constant('getAll'), name: NAME }),
  fc.record({ do: fc.constant('has'), name: NAME }),
  fc.record({ do: fc.constant('remove'), name: NAME }),
  fc.record({ do: fc.constant('add'), name: NAME, value: VALUE }),
  fc.record({ do: fc.constant('set'), name: NAME, value: VALUE }),
);

function toText(lines: readonly [string, string][]): string {
  return lines.map(([name, value]) => toFieldLine(name, value)).join('');
}

describe('header fields of which some are text', () => {
  it('are as those of which none are, whatever is asked and changed', () => {
    fc.assert(
      fc.property(LINES, LINES, fc.array(STEP, { maxLength: 8 }), (first, then, steps) => {
        const plain = new HeaderFields([...first, ...then].flat());
        const some = new HeaderFields(then.flat(), toText(first));
        for (const step of steps) {
          const answer = (fields: HeaderFields): unknown =>
            'value' in step ? fields[step.do](step.name, step.value) : fields[step.do](step.name);
          expect(answer(some)).toEqual(answer(plain));
        }
        expect([...some]).toEqual([...plain]);
        expect(some.raw).toEqual(plain.raw);
      }),
    );
  });

  it('stay text until one of these is changed', () => {
    const fields = new HeaderFields(['B', '2'], toText([['A', '1']]));
    fields.add('C', '3');
    fields.set('b', '4');
    expect([fields.get('a'), fields.has('A'), [...fields].length]).toEqual(['1', true, 3]);
    expect([fields.text, fields.rest]).toEqual(['A: 1\r\n', ['C', '3', 'b', '4']]);
    expect(fields.remove('a')).toBe(true);
    expect([fields.text, fields.rest]).toEqual(['', ['C', '3', 'b', '4']]);
  });

  it('forget their text for a list that takes their place', () => {
    const fields = new HeaderFields([], toText([['A', '1']]));
    fields.raw = ['B', '2'];
    expect([fields.text, fields.raw]).toEqual(['', ['B', '2']]);
  });

  it('refuse a malformed line as ever', () => {
    const fields = new HeaderFields([], toText([['A', '1']]));
    expect(() => fields.add('B\r\nC', '')).toThrow(TypeError);
    expect(() => fields.set('B', '1\r\nC: 2')).toThrow(TypeError);
    expect(fields.raw).toEqual(['A', '1']);
  });
});

it('takes apart what it has written', () => {
  fc.assert(
    fc.property(LINES, (lines) => {
      expect(toFieldList(toText(lines))).toEqual(lines.flat());
    }),
  );
});
