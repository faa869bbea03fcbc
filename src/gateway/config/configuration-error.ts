/** A configuration that was refused, with everything that is wrong with it. */
import { listIssues, toIssueLines } from './issue-list.ts';
import type { ConfigIssue } from './issue.ts';

/** The message has the first of many; `issues` all. */
export class ConfigurationError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(toIssueLines(listIssues(issues)).join('\n'));
    this.name = 'ConfigurationError';
    this.issues = issues;
  }
}
