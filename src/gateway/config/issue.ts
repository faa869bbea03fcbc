/** What is wrong with a configuration, and where. */
import type { ConfigPath } from './config-path.ts';

/** An `error` refuses the configuration; a `warning` does not. */
export type Severity = 'error' | 'warning';

/** As it is told to people and tools. */
export interface ConfigIssue {
  readonly severity: Severity;
  /** The file, as it was named to the loader. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** E.g. `routes[3].to[0].service`; empty for the file itself. */
  readonly path: string;
  /** Line and column are those of the key at the end of the path. Default: of its value. */
  readonly at?: 'key';
  /** What is wrong and what is allowed. Never holds a substituted value. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Found before its line and column are known. */
export interface Problem {
  readonly severity: Severity;
  readonly path: ConfigPath;
  /** Whether the key at the end of the path is at fault, or its value. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface ProblemOptions {
  readonly hint?: string | undefined;
  /** Default `error`. */
  readonly severity?: Severity;
  /** Default `value`. */
  readonly at?: 'key' | 'value';
  /** What should be there and is not: if it was taken out for a fault of its own, that is enough. */
  readonly absent?: ConfigPath;
}

/** Takes note of a problem; checks go on after it, so that all are told at once. */
export type ReportProblem = (path: ConfigPath, message: string, options?: ProblemOptions) => void;

/** `file:line:column path: message (hint)` */
export function toIssueText(issue: ConfigIssue): string {
  const place = `${issue.file}:${issue.line}:${issue.column}`;
  const path = issue.path === '' ? '' : ` ${issue.path}`;
  const severity = issue.severity === 'warning' ? 'warning: ' : '';
  const hint = issue.hint === undefined ? '' : ` (${issue.hint})`;
  return `${place}${path}: ${severity}${issue.message}${hint}`;
}
