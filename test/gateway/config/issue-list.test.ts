import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/gateway/config/configuration-error.ts';
import { listIssues, toIssueLines } from '../../../src/gateway/config/issue-list.ts';
import type { ConfigIssue, Severity } from '../../../src/gateway/config/issue.ts';

function issues(count: number, severity: Severity = 'error', message = 'is wrong'): ConfigIssue[] {
  return Array.from({ length: count }, (_, i) => {
    return { severity, file: '/m.yaml', line: i + 1, column: 1, path: 'a', message };
  });
}

describe('a list of issues', () => {
  it('has all of a few', () => {
    expect(toIssueLines(listIssues(issues(50)))).toHaveLength(50);
  });

  it('has fifty of many, and says how many more there are and who shows them', () => {
    const lines = toIssueLines(listIssues(issues(3000)));
    expect(lines).toHaveLength(51);
    expect(lines[49]).toBe('/m.yaml:50:1 a: is wrong');
    expect(lines[50]).toBe('and 2950 more; run meshgate check /m.yaml');
  });

  it('has no error hidden behind warnings', () => {
    const list = listIssues([...issues(60, 'warning'), ...issues(2)]);
    expect(list.issues.slice(0, 3).map(({ severity }) => severity)).toEqual([
      'error',
      'error',
      'warning',
    ]);
    expect([list.issues.length, list.unlisted]).toEqual([50, 12]);
  });

  it('counts those that were left out before', () => {
    expect(listIssues(issues(50), 7).unlisted).toBe(7);
  });

  it('cuts a line that quotes something long, with a mark', () => {
    const [line] = toIssueLines(listIssues(issues(1, 'error', 'x'.repeat(1e6))));
    expect(line!.length).toBeLessThan(1100);
    expect(line).toMatch(/x…$/);
  });

  it('is what a refusal says', () => {
    const error = new ConfigurationError(issues(3000));
    expect(error.message.split('\n')).toHaveLength(51);
    expect(error.issues).toHaveLength(3000);
  });
});
