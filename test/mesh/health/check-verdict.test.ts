import { describe, expect, it } from 'vitest';
import {
  createCheckHistory,
  judgeCheck,
  type CheckResult,
} from '../../../src/mesh/health/check-verdict.ts';

/** Health after each result, as + and −. */
function course(...results: CheckResult[]): string {
  const history = createCheckHistory();
  let healthy = true;
  return results
    .map((result) => {
      const thresholds = { healthyThreshold: 2, unhealthyThreshold: 3 };
      healthy = judgeCheck(history, result, healthy, thresholds);
      return healthy ? '+' : '-';
    })
    .join('');
}

describe('active checks', () => {
  it('take three failures in a row to be unhealthy', () => {
    expect(course('pass', 'fail', 'fail', 'fail')).toBe('+++-');
    expect(course('pass', 'fail', 'fail', 'pass', 'fail', 'fail')).toBe('++++++');
  });

  it('take two passes in a row to be healthy again', () => {
    expect(course('fail', 'pass', 'fail', 'pass', 'pass')).toBe('----+');
  });

  it('go by the first result alone', () => {
    expect(course('fail')).toBe('-');
    expect(course('pass', 'fail')).toBe('++');
  });

  it('change nothing by a warning, which ends any row', () => {
    expect(course('pass', 'warn', 'warn', 'warn')).toBe('++++');
    expect(course('pass', 'fail', 'fail', 'warn', 'fail', 'fail', 'fail')).toBe('++++++-');
    expect(course('fail', 'pass', 'warn', 'pass', 'pass')).toBe('----+');
    expect(course('warn', 'fail', 'fail', 'fail')).toBe('+++-');
  });
});
