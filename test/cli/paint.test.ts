import { describe, expect, it } from 'vitest';
import { createPaint } from '../../src/cli/paint.ts';

const write = (): void => undefined;

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [undefined, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { NODE_DISABLE_COLORS: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [true, { TERM: 'xterm' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('with a terminal: %s and %j are there: %s', (isTTY, env, areThere) => {
    const text = createPaint({ write, isTTY }, env)('bad', 'x');
    expect(text).toBe(areThere ? '\u001B[31mx\u001B[39m' : 'x');
  });

  it('leave alone what has none', () => {
    const paint = createPaint({ write, isTTY: true }, {});
    expect([paint(undefined, 'x'), paint('bad', '')]).toEqual(['x', '']);
  });
});
