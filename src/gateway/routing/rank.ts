/** Which of two candidates goes first: the precedence of the Kubernetes Gateway API. */
import type { HostedEntry } from './candidate.ts';

interface Rule {
  /** Whichever has the lower one goes first. */
  readonly rankOf: (one: HostedEntry) => number;
  /** Why the winner won by this rule. */
  readonly reason: (winner: HostedEntry) => string;
}

const HOST_CLASS = { exact: 0, wildcard: 1, any: 2 } as const;
const PATH_CLASS = { exact: 0, regex: 1, prefix: 2 } as const;

/**
 * In the order in which they decide: HTTPRoute's rules for `hostnames` and `matches`, with
 * regular expressions between exact paths and prefixes, and `priority` before all.
 */
const RULES: readonly Rule[] = [
  {
    rankOf: ({ entry }) => -entry.priority,
    reason: () => 'higher priority',
  },
  {
    rankOf: ({ host }) => HOST_CLASS[host.kind],
    reason: ({ host }) => (host.kind === 'exact' ? 'exact host' : 'wildcard host'),
  },
  {
    rankOf: ({ host }) => (host.kind === 'wildcard' ? -host.name.length : 0),
    reason: () => 'longer wildcard host',
  },
  {
    rankOf: ({ entry }) => PATH_CLASS[entry.path.kind],
    reason: ({ entry }) => (entry.path.kind === 'exact' ? 'exact path' : 'regex path'),
  },
  {
    rankOf: ({ entry: { path } }) => (path.kind === 'prefix' ? -path.value.length : 0),
    reason: () => 'longer prefix',
  },
  {
    rankOf: ({ entry }) => (entry.namesMethod ? 0 : 1),
    reason: () => 'method match',
  },
  {
    rankOf: ({ entry }) => -entry.headerCount,
    reason: () => 'more header matches',
  },
  {
    rankOf: ({ entry }) => -entry.queryCount,
    reason: () => 'more query matches',
  },
];

/** Negative where `a` goes first; 0 where the place in the file is to decide. */
export function compareTiers(a: HostedEntry, b: HostedEntry): number {
  for (const { rankOf } of RULES) {
    const order = rankOf(a) - rankOf(b);
    if (order !== 0) return order;
  }
  return 0;
}

/** The same for two of which `compareTiers` says 0, and no others. */
export function tierKeyOf(one: HostedEntry): string {
  let key = '';
  for (const { rankOf } of RULES) key += `${rankOf(one)} `;
  return key;
}

/** The first rule that puts `winner` before `loser`, in words. */
export function decidingRule(winner: HostedEntry, loser: HostedEntry): string {
  const rule = RULES.find(({ rankOf }) => rankOf(winner) !== rankOf(loser));
  if (rule !== undefined) return rule.reason(winner);
  if (winner.entry === loser.entry) return 'the same match entry';
  return winner.entry.route === loser.entry.route ? 'earlier match entry' : 'earlier route';
}
