/** Which of two candidates goes first: the precedence of the Kubernetes Gateway API. */
import type { Candidate } from './candidate.ts';

type AnyCandidate = Candidate<unknown>;

interface Rule {
  /** Negative where `a` goes first, 0 where the rule does not decide. */
  readonly compare: (a: AnyCandidate, b: AnyCandidate) => number;
  /** Why the winner won by this rule. */
  readonly reason: (winner: AnyCandidate) => string;
}

const HOST_CLASS = { exact: 0, wildcard: 1, any: 2 } as const;
const PATH_CLASS = { exact: 0, regex: 1, prefix: 2 } as const;

/**
 * In the order in which they decide: HTTPRoute's rules for `hostnames` and `matches`, with
 * regular expressions between exact paths and prefixes, and `priority` before all.
 */
const RULES: readonly Rule[] = [
  {
    compare: (a, b) => b.entry.priority - a.entry.priority,
    reason: () => 'higher priority',
  },
  {
    compare: (a, b) => HOST_CLASS[a.host.kind] - HOST_CLASS[b.host.kind],
    reason: (winner) => (winner.host.kind === 'exact' ? 'exact host' : 'wildcard host'),
  },
  {
    compare: (a, b) =>
      a.host.kind === 'wildcard' && b.host.kind === 'wildcard'
        ? b.host.name.length - a.host.name.length
        : 0,
    reason: () => 'longer wildcard host',
  },
  {
    compare: (a, b) => PATH_CLASS[a.entry.path.kind] - PATH_CLASS[b.entry.path.kind],
    reason: (winner) => (winner.entry.path.kind === 'exact' ? 'exact path' : 'regex path'),
  },
  {
    compare: (a, b) =>
      a.entry.path.kind === 'prefix' && b.entry.path.kind === 'prefix'
        ? b.entry.path.value.length - a.entry.path.value.length
        : 0,
    reason: () => 'longer prefix',
  },
  {
    compare: (a, b) => Number(b.namesMethod) - Number(a.namesMethod),
    reason: () => 'method match',
  },
  {
    compare: (a, b) => b.entry.headerCount - a.entry.headerCount,
    reason: () => 'more header matches',
  },
  {
    compare: (a, b) => b.entry.queryCount - a.entry.queryCount,
    reason: () => 'more query matches',
  },
  {
    compare: (a, b) => a.entry.routeIndex - b.entry.routeIndex,
    reason: () => 'earlier route',
  },
  {
    compare: (a, b) => a.index - b.index,
    reason: () => 'earlier match entry',
  },
];

/** For sorting: negative where `a` goes first. 0 for two hosts of one entry alone. */
export function compareCandidates(a: AnyCandidate, b: AnyCandidate): number {
  for (const rule of RULES) {
    const order = rule.compare(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

/** The first rule that puts `winner` before `loser`, in words. */
export function decidingRule(winner: AnyCandidate, loser: AnyCandidate): string {
  const rule = RULES.find((each) => each.compare(winner, loser) !== 0);
  return rule === undefined ? 'the same match entry' : rule.reason(winner);
}
