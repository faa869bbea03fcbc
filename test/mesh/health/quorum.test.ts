import { describe, expect, it } from 'vitest';
import { judgeQuorum } from '../../../src/mesh/health/quorum.ts';

function nodes(text: string): Set<string> {
  return new Set(text);
}

describe('a quorum', () => {
  it.each([
    // observers, with traffic, verdict
    ['', 'abcde', 'none'],
    ['a', '', 'suspected'],
    ['a', 'a', 'suspected'],
    ['a', 'ab', 'suspected'],
    ['ab', '', 'agreed'],
    ['ab', 'abcd', 'agreed'],
    ['ab', 'abcde', 'suspected'],
    ['abc', 'abcde', 'agreed'],
    // Who put it aside sends nothing to it any more.
    ['ab', 'cd', 'agreed'],
    ['ab', 'cde', 'suspected'],
    ['abc', 'def', 'agreed'],
    ['abc', 'defg', 'suspected'],
  ])('of observers %j, with traffic at %j, says %s', (observers, withTraffic, verdict) => {
    expect(judgeQuorum(nodes(observers), nodes(withTraffic))).toBe(verdict);
  });

  it('is never one node’s, however few have traffic', () => {
    for (const withTraffic of ['', 'a', 'ab', 'abcdefghij']) {
      expect(judgeQuorum(nodes('a'), nodes(withTraffic))).toBe('suspected');
    }
  });
});
