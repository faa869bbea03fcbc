/** Says why a match entry won, and why each of the others lost: the routing part of `explain`. */
import type { CompiledEntry, HostedEntry } from './candidate.ts';
import { admitsHost, hostPatternText } from './host-pattern.ts';
import { admitsPath } from './path-pattern.ts';
import { compareTiers, decidingRule } from './rank.ts';
import {
  type FieldRequirement,
  type Requirement,
  unmetRequirement,
  valueFor,
} from './requirements.ts';
import type { Routable } from './route-spec.ts';

/** Hears of every match entry of a table, by the route's name and the entry's place in it. */
export interface MatchNarrator {
  won(route: string, entryIndex: number, reason: string): void;
  /** `closeness`: how far it came, as in `Loss`. */
  lost(route: string, entryIndex: number, reason: string, closeness: number): void;
}

/** Tells first of the winner, then of the others in the order of the file. */
export function narrate(
  entries: readonly CompiledEntry[],
  winner: HostedEntry | undefined,
  request: Routable,
  narrator: MatchNarrator,
): void {
  if (winner !== undefined) {
    const { route, index } = winner.entry;
    narrator.won(route, index, merits(winner));
  }
  for (const entry of entries) {
    if (entry === winner?.entry) continue;
    const { route, index } = entry;
    const { reason, closeness } = whyLost(entry, winner, request);
    narrator.lost(route, index, reason, closeness);
  }
}

interface Loss {
  readonly reason: string;
  /** 0: not even the host; from 1, and more the more of the path is shared: the path; 2: a condition; 3: outranked. */
  readonly closeness: number;
}

function whyLost(entry: CompiledEntry, winner: HostedEntry | undefined, request: Routable): Loss {
  const contender = bestForHost(entry, request.host);
  if (contender === undefined) {
    const expected = entry.hosts.map(hostPatternText).join(' or ');
    const got = request.host === '' ? 'none' : request.host;
    return { reason: `host: expected ${expected}, got ${got}`, closeness: 0 };
  }
  const { path, requirements } = entry;
  if (!admitsPath(path, request.path)) {
    const reason = `path: expected ${path.kind} ${path.value}, got ${request.path}`;
    return { reason, closeness: 1 + sharedStart(path.value, request.path) };
  }
  const unmet = unmetRequirement(requirements, request);
  if (unmet !== undefined) return { reason: whyUnmet(unmet, request), closeness: 2 };
  if (winner === undefined) throw new Error('a match entry admits the request, and none won');
  const { route, index } = winner.entry;
  const rule = decidingRule(winner, contender);
  return { reason: `outranked by ${route} (match ${index}): ${rule}`, closeness: 3 };
}

/** How much of the two texts is the same from the start on, below 1. */
function sharedStart(a: string, b: string): number {
  const longest = Math.max(a.length, b.length);
  let shared = 0;
  while (shared < longest && a[shared] === b[shared]) shared++;
  return shared / (longest + 1);
}

/** Under the host pattern that ranks best among those that name the host. */
function bestForHost(entry: CompiledEntry, host: string): HostedEntry | undefined {
  let best: HostedEntry | undefined;
  for (const pattern of entry.hosts) {
    if (!admitsHost(pattern, host)) continue;
    const one = { host: pattern, entry };
    if (best === undefined || compareTiers(one, best) < 0) best = one;
  }
  return best;
}

function whyUnmet(unmet: Requirement, request: Routable): string {
  if (unmet.on === 'method') {
    return `method: expected ${unmet.methods.join(' or ')}, got ${request.method}`;
  }
  const got = valueFor(unmet, request);
  return `${unmet.on} ${unmet.name}: expected ${expectation(unmet)}, got ${
    got === undefined ? 'none' : shown(unmet, JSON.stringify(got))
  }`;
}

function expectation(requirement: FieldRequirement): string {
  if (requirement.kind === 'present') return 'any value';
  if (requirement.kind === 'regex') return shown(requirement, `regex ${requirement.value}`);
  return shown(requirement, JSON.stringify(requirement.value));
}

/** Fields that carry credentials: neither the expected value nor the received one is told. */
const SECRET_FIELDS = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key']);

function shown({ on, name }: FieldRequirement, text: string): string {
  return on === 'header' && SECRET_FIELDS.has(name.toLowerCase()) ? 'a value not shown' : text;
}

function merits({ host, entry }: HostedEntry): string {
  const parts = [
    host.kind === 'any' ? 'any host' : `${host.kind} host ${hostPatternText(host)}`,
    `${entry.path.kind} ${entry.path.value}`,
  ];
  for (const requirement of entry.requirements) {
    parts.push(
      requirement.on === 'method'
        ? `method ${requirement.methods.join(' or ')}`
        : `${requirement.on} ${requirement.name}`,
    );
  }
  return parts.join(', ');
}
