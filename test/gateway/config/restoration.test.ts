import { describe, expect, it } from 'vitest';
import {
  concealedPlaces,
  holdsConcealed,
  restore,
} from '../../../src/gateway/config/restoration.ts';
import type { Json } from '../../../src/mesh/backplane/backplane.ts';

const HIDDEN = '(hidden)';

/** Items without a name, as they are stored and as they are shown. */
const A = { i: 'a', s: 's:a' };
const B = { i: 'b', s: 's:b' };
const SHOWN_A = { i: 'a', s: HIDDEN };
const SHOWN_B = { i: 'b', s: HIDDEN };

/** As concealed: what holds no secret is the same value. */
function hide(stored: Json): Json {
  if (typeof stored === 'string') return stored.startsWith('s:') ? HIDDEN : stored;
  if (typeof stored !== 'object' || stored === null) return stored;
  if (Array.isArray(stored)) {
    const items = (stored as readonly Json[]).map(hide);
    return items.every((item, i) => item === stored[i]) ? stored : items;
  }
  const members = Object.entries(stored).map(([key, value]) => [key, hide(value as Json)] as const);
  return members.every(([key, value]) => value === (stored as Record<string, Json>)[key])
    ? stored
    : Object.fromEntries(members);
}

function restored(given: Json, stored: Json): Json {
  return restore(given, { stored, shown: hide(stored) });
}

describe('a secret that comes back hidden', () => {
  it.each<[string, Json, Json, Json]>([
    ['is what it was', { a: HIDDEN, b: 1 }, { a: 's:1', b: 2 }, { a: 's:1', b: 1 }],
    [
      'below other things',
      { a: { b: [{ c: HIDDEN }] } },
      { a: { b: [{ c: 's:1' }] } },
      { a: { b: [{ c: 's:1' }] } },
    ],
    ['may be given anew', { a: 's:2' }, { a: 's:1' }, { a: 's:2' }],
    ['may be taken away', { b: 1 }, { a: 's:1', b: 1 }, { b: 1 }],
    [
      'follows the name of its item',
      [
        { name: 'y', x: HIDDEN, t: 1 },
        { name: 'x', x: HIDDEN },
      ],
      [
        { name: 'x', x: 's:x' },
        { name: 'y', x: 's:y' },
        { name: 'z', x: 's:z' },
      ],
      [
        { name: 'y', x: 's:y', t: 1 },
        { name: 'x', x: 's:x' },
      ],
    ],
    [
      'follows the plugin',
      [{ cors: {} }, { jwt: { secret: HIDDEN, leeway: '1s' } }],
      [{ jwt: { secret: 's:1' } }],
      [{ cors: {} }, { jwt: { secret: 's:1', leeway: '1s' } }],
    ],
    ['follows what is unchanged around it', [SHOWN_B, SHOWN_A], [A, B], [B, A]],
    [
      'stays in its place while all others do',
      [SHOWN_A, { ...SHOWN_B, i: 'c' }],
      [A, B],
      [A, { ...B, i: 'c' }],
    ],
    [
      'is told from an equal one by its place',
      [HIDDEN, HIDDEN, 'x'],
      ['s:1', 's:2', 'x'],
      ['s:1', 's:2', 'x'],
    ],
  ])('%s', (_, given, stored, result) => {
    expect(restored(given, stored)).toEqual(result);
    expect(holdsConcealed(restored(given, stored))).toBe(false);
  });

  it.each<[string, Json, Json, readonly (readonly (string | number)[])[]]>([
    ['there was none', { a: HIDDEN }, { b: 's:1' }, [['a']]],
    ['something else stood there', { a: HIDDEN }, { a: { b: 's:1' } }, [['a']]],
    ['nothing was secret', { a: HIDDEN }, { a: 'x' }, [['a']]],
    ['its item is not known again', [{ ...SHOWN_B, i: 'c' }, SHOWN_A], [A, B], [[0, 's']]],
    ['one of several equal ones is gone', [HIDDEN], ['s:1', 's:2'], [[0]]],
    [
      'another has taken its name',
      [
        { name: 'x', s: HIDDEN },
        { name: 'x', s: HIDDEN, t: 1 },
      ],
      [{ name: 'x', s: 's:x' }],
      [[1, 's']],
    ],
  ])('stays hidden where %s', (_, given, stored, places) => {
    expect(concealedPlaces(restored(given, stored))).toEqual(places);
  });

  it('is known in each of its forms', () => {
    for (const text of ['(hidden)', 'https://(hidden)@x.test/', 'sha256:0a0a0a0a…']) {
      expect(holdsConcealed({ a: [text] })).toBe(true);
    }
    for (const text of ['hidden', 'https://x.test/(hidden)', `sha256:${'0a'.repeat(32)}`]) {
      expect(holdsConcealed({ a: [text] })).toBe(false);
    }
  });
});
