/** Routes that are allowed, and hardly what was meant. */
import type { ConfigPath } from '../config-path.ts';
import type { RouteFacts, ServiceFacts } from '../entry-record.ts';
import { breathe } from '../give-way.ts';
import type { MatchEntry, RouteConfig } from '../route-config.ts';
import type { RawRoute } from '../schema/route.ts';
import { callerIssuesOf } from './caller-warnings.ts';
import { mapPresent, toRecord, type Draft } from './draft.ts';

export interface PlacedFacts {
  readonly facts: RouteFacts;
  readonly path: ConfigPath;
}

const NONE = Object.freeze([]);

export function factsOfRoute(draft: Draft, route: RouteConfig, raw: RawRoute): RouteFacts {
  const { name, listeners, priority, matches, targets } = route;
  const services = targets.flatMap((target) => (target.kind === 'service' ? [target.service] : []));
  const subsets = subsetsOf(raw);
  return {
    name,
    listeners: listeners.length === 0 ? NONE : listeners,
    matchKeys: matches.map((entry) => keyOf(entry, priority)),
    matchForm: Array.isArray(raw.match) ? 'list' : raw.match === undefined ? 'none' : 'single',
    isWeightless: targets.length > 0 && targets.every(({ weight }) => weight <= 0),
    targets: services,
    subsets: subsets.length === 0 ? NONE : subsets,
    callerIssues: callerIssuesOf(draft, raw),
  };
}

/** Reports as warnings what no request will ever reach. */
export function warnOfRoutes(
  draft: Draft,
  routes: readonly PlacedFacts[],
  services: ReadonlyMap<string, ServiceFacts>,
): void {
  const matches = new MatchIndex();
  for (const [i, placed] of routes.entries()) {
    breathe(i);
    warnOfWeights(draft, placed);
    warnOfSubsets(draft, placed, services);
    warnOfEmptyServices(draft, placed, services);
    matches.add(draft, placed);
  }
}

function warnOfWeights(draft: Draft, { facts, path }: PlacedFacts): void {
  if (!facts.isWeightless) return;
  draft.report([...path, 'to'], 'every target has the weight 0: each request is answered by 503', {
    severity: 'warning',
    hint: 'give one of them a weight',
  });
}

/** An empty list is allowed, such as for a service whose endpoints are yet to come. */
function warnOfEmptyServices(
  draft: Draft,
  { facts, path }: PlacedFacts,
  services: ReadonlyMap<string, ServiceFacts>,
): void {
  const service = facts.targets.find((target) => services.get(target)?.isEmpty === true);
  if (service === undefined) return;
  draft.report(
    [...path, 'to'],
    `the service ${service} has no endpoints: requests are answered by 503`,
    {
      severity: 'warning',
      hint: 'give it an endpoint',
    },
  );
}

/** Only where all endpoints are in the file can it be known who they are. */
function warnOfSubsets(
  draft: Draft,
  { facts, path }: PlacedFacts,
  services: ReadonlyMap<string, ServiceFacts>,
): void {
  for (const { service, where, place } of facts.subsets) {
    const endpoints = services.get(service ?? '')?.metadata ?? [];
    const wanted = Object.entries(where);
    if (endpoints.length === 0) continue;
    if (endpoints.some((metadata) => wanted.every(([key, value]) => metadata[key] === value)))
      continue;
    draft.report([...path, ...place, 'where'], `no endpoint of ${service} has this metadata`, {
      severity: 'warning',
      hint: 'nothing can be sent there: give an endpoint this metadata',
    });
  }
}

function subsetsOf({ to, mirror }: RawRoute): RouteFacts['subsets'] {
  const toSubset = (
    { service, where }: { readonly service?: string; readonly where?: object | undefined },
    place: ConfigPath,
  ): RouteFacts['subsets'] => {
    if (where === undefined || Object.keys(where).length === 0) return [];
    return [{ service, where: toRecord(where as Readonly<Record<string, string>>), place }];
  };
  const targets = Array.isArray(to)
    ? mapPresent(to, ['to'], toSubset).flat()
    : typeof to === 'object'
      ? toSubset(to, ['to'])
      : [];
  return [...targets, ...mapPresent(mirror, ['mirror'], toSubset).flat()];
}

/** Who has a match on some doors: the first of them on a door wins there. */
interface Claim {
  readonly route: string;
  readonly doors: readonly string[];
  next: Claim | undefined;
}

/** Finds match entries that stand twice: of two with the same rank the first one wins, always. */
class MatchIndex {
  /** By entry; of most there is one. */
  readonly #claims = new Map<string, Claim>();
  #all: readonly string[] | undefined;

  add(draft: Draft, { facts, path }: PlacedFacts): void {
    const { name, listeners, matchKeys, matchForm } = facts;
    const doors = this.#doorsOf(listeners, draft.listeners);
    for (const [i, key] of matchKeys.entries()) {
      const claim = this.#claims.get(key);
      if (claim === undefined) {
        this.#claims.set(key, { route: name, doors, next: undefined });
        continue;
      }
      const winners = doors.map((door) => winnerOf(claim, door));
      const lost = doors.filter((_, n) => winners[n] !== undefined && winners[n] !== name);
      const free = doors.filter((_, n) => winners[n] === undefined);
      if (free.length > 0) lastOf(claim).next = { route: name, doors: free, next: undefined };
      if (lost.length === 0) continue;
      const first = winners.find((winner) => winner !== undefined && winner !== name);
      const place = matchForm === 'list' ? [...path, 'match', i] : [...path, 'match'];
      const where = lost.length < doors.length ? `on ${lost.join(', ')} ` : '';
      draft.report(matchForm === 'none' ? path : place, `the same match as of the route ${first}`, {
        severity: 'warning',
        hint: `${where}this one never wins: change it, or give it a priority`,
      });
    }
  }

  /** A route that names none that is there stands on all: one error must not hide others. */
  #doorsOf(names: readonly string[], known: ReadonlySet<string>): readonly string[] {
    const own = names.length === 0 ? names : names.filter((name) => known.has(name));
    if (own.length > 0) return own;
    return (this.#all ??= known.size > 0 ? [...known] : ['']);
  }
}

function winnerOf(first: Claim, door: string): string | undefined {
  for (let claim: Claim | undefined = first; claim !== undefined; claim = claim.next) {
    if (claim.doors.includes(door)) return claim.route;
  }
  return undefined;
}

function lastOf(first: Claim): Claim {
  let last = first;
  while (last.next !== undefined) last = last.next;
  return last;
}

function keyOf({ hosts, path, methods, headers, query }: MatchEntry, priority: number): string {
  const isByPath = hosts.length + methods.length + headers.length + query.length === 0;
  // The other form begins with a bracket.
  if (isByPath) return `${priority} ${path.kind} ${path.value}`;
  return JSON.stringify([
    priority,
    path.kind,
    path.value,
    hosts.toSorted(),
    methods.toSorted(),
    headers.map(({ name, kind, value }) => [name, kind, value].join('\n')).sort(),
    query.map(({ name, kind, value }) => [name, kind, value].join('\n')).sort(),
  ]);
}
