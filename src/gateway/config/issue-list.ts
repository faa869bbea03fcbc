/** Issues for where they are kept or passed on, of which there may be as many as a file has lines. */
import { toIssueText, type ConfigIssue } from './issue.ts';

/** Nobody reads more in a log; `meshgate check` shows all of them. */
const MAX_LISTED = 50;
/** A line may quote a key of any length. */
const MAX_LINE_CHARACTERS = 1000;

export interface IssueList {
  /** The first ones of the file; where there are too many, errors go before warnings. */
  readonly issues: readonly ConfigIssue[];
  /** How many there are beside them. */
  readonly unlisted: number;
}

/** `unlisted`: those that `all` lacks already. */
export function listIssues(all: readonly ConfigIssue[], unlisted = 0): IssueList {
  if (all.length <= MAX_LISTED) return { issues: all, unlisted };
  const errors = all.filter(({ severity }) => severity === 'error');
  const listed = errors.slice(0, MAX_LISTED);
  for (const issue of all) {
    if (listed.length === MAX_LISTED) break;
    if (issue.severity === 'warning') listed.push(issue);
  }
  return { issues: listed, unlisted: unlisted + all.length - listed.length };
}

/** One line each, and one that says how many there are beside them. */
export function toIssueLines({ issues, unlisted }: IssueList): readonly string[] {
  const lines = issues.map((issue) => toClippedLine(toIssueText(issue)));
  if (unlisted > 0) lines.push(`and ${unlisted} more; run meshgate check ${issues[0]!.file}`);
  return lines;
}

/** With a mark where it was too long. */
export function toClippedLine(line: string): string {
  return line.length <= MAX_LINE_CHARACTERS ? line : `${line.slice(0, MAX_LINE_CHARACTERS)}…`;
}
