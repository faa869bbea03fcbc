import { describe, expect, it } from 'vitest';
import { callDeadlineMs, toLateFailure } from '../../../src/mesh/transport/call-deadline.ts';
import type { CallPhase } from '../../../src/mesh/transport/call-deadline.ts';

const timeouts = (responseTimeoutMs: number, idleTimeoutMs: number) => ({
  responseTimeoutMs,
  idleTimeoutMs,
});

describe('callDeadlineMs', () => {
  it.each<[CallPhase, number, number, number, number, number]>([
    // phase, response, idle, sent at, heard at → deadline
    ['waiting', 500, 50, 1000, 900, 1500],
    ['waiting', 500, 50, 1000, 1400, 1500],
    ['waiting', 0, 50, 1000, 900, Infinity],
    ['receiving', 500, 50, 1000, 1400, 1450],
    ['receiving', 500, 50, 1600, 1400, 1650],
    ['receiving', 500, 0, 1000, 1400, Infinity],
    ['sending', 500, 50, 1000, 900, 1050],
    ['sending', 500, 0, 1000, 900, Infinity],
    ['blocked', 500, 50, 1000, 900, 1050],
    ['blocked', 500, 0, 1000, 900, 1500],
    ['blocked', 30, 50, 1000, 900, 1030],
    ['continue', 5000, 50, 1000, 900, 2000],
    ['continue', 300, 50, 1000, 900, 1300],
    ['continue', 0, 50, 1000, 900, 2000],
    ['paused', 500, 50, 1000, 900, Infinity],
  ])(
    'while %s with timeouts %i and %i, sent at %i, heard at %i, is %d',
    (phase, response, idle, sentAt, heardAt, expected) => {
      expect(callDeadlineMs(phase, timeouts(response, idle), sentAt, heardAt)).toBe(expected);
    },
  );
});

describe('toLateFailure', () => {
  it('blames the client for a stalled upload, and the upstream for all else', () => {
    expect(toLateFailure('sending').failure).toBe('request-body');
    const others: CallPhase[] = ['waiting', 'receiving', 'blocked', 'continue'];
    expect(others.map((phase) => toLateFailure(phase).failure)).toEqual(
      others.map(() => 'timeout'),
    );
  });
});
