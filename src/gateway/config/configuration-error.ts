/** A configuration that was refused, with everything that is wrong with it. */
import { toIssueText, type ConfigIssue } from './issue.ts';

export class ConfigurationError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(toIssueText).join('\n'));
    this.name = 'ConfigurationError';
    this.issues = issues;
  }
}
