/** Routes that are allowed, and hardly what was meant. */
import type { ConfigPath } from '../config-path.ts';
import type { MatchEntry, RouteConfig } from '../route-config.ts';
import type { ServiceConfig } from '../service-config.ts';
import type { RawDocument } from '../schema/document.ts';
import type { Draft } from './draft.ts';

export interface PlacedRoute {
  readonly route: RouteConfig;
  readonly raw: RawDocument['routes'][number];
  readonly path: ConfigPath;
}

/** Reports as warnings what no request will ever reach. */
export function warnOfRoutes(
  draft: Draft,
  routes: readonly PlacedRoute[],
  services: readonly ServiceConfig[],
  rawServices: RawDocument['services'],
): void {
  const byName = new Map(services.map((service) => [service.name, service]));
  const matches = new MatchIndex();
  for (const placed of routes) {
    warnOfWeights(draft, placed);
    warnOfSubsets(draft, placed, byName);
    warnOfEmptyServices(draft, placed, rawServices);
    matches.add(draft, placed);
  }
}

function warnOfWeights(draft: Draft, { route, path }: PlacedRoute): void {
  const { targets } = route;
  if (targets.length === 0 || targets.some(({ weight }) => weight > 0)) return;
  draft.report([...path, 'to'], 'every target has the weight 0: each request is answered by 503', {
    severity: 'warning',
    hint: 'give one of them a weight',
  });
}

/** An empty list is allowed, such as for a service whose endpoints are yet to come. */
function warnOfEmptyServices(
  draft: Draft,
  { route, path }: PlacedRoute,
  services: RawDocument['services'],
): void {
  const empty = route.targets.find(
    // Endpoints with faults have left holes, and been told about.
    (target) => target.kind === 'service' && services[target.service]?.endpoints?.length === 0,
  );
  if (empty?.kind !== 'service') return;
  const { service } = empty;
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
  { raw, path }: PlacedRoute,
  services: ReadonlyMap<string, ServiceConfig>,
): void {
  const check = (service: string | undefined, where: object | undefined, place: ConfigPath) => {
    const endpoints = services.get(service ?? '')?.endpoints ?? [];
    const wanted = Object.entries((where ?? {}) as Readonly<Record<string, string>>);
    if (wanted.length === 0 || endpoints.length === 0) return;
    if (endpoints.some(({ metadata }) => wanted.every(([key, value]) => metadata[key] === value)))
      return;
    draft.report([...place, 'where'], `no endpoint of ${service} has this metadata`, {
      severity: 'warning',
      hint: 'nothing can be sent there: give an endpoint this metadata',
    });
  };
  const { to } = raw;
  const targets = Array.isArray(to) ? to : [];
  for (const [i, target] of targets.entries()) {
    if ((target as unknown) === undefined) continue;
    check(target.service, target.where, [...path, 'to', i]);
  }
  if (typeof to === 'object' && !Array.isArray(to)) check(to.service, to.where, [...path, 'to']);
  for (const [i, mirror] of raw.mirror.entries()) {
    if ((mirror as unknown) === undefined) continue;
    check(mirror.service, mirror.where, [...path, 'mirror', i]);
  }
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

  add(draft: Draft, { route, raw, path }: PlacedRoute): void {
    const { name, listeners, priority, matches } = route;
    const doors = this.#doorsOf(listeners, draft.listeners);
    for (const [i, entry] of matches.entries()) {
      const key = keyOf(entry, priority);
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
      const place = Array.isArray(raw.match) ? [...path, 'match', i] : [...path, 'match'];
      const where = lost.length < doors.length ? `on ${lost.join(', ')} ` : '';
      draft.report(
        raw.match === undefined ? path : place,
        `the same match as of the route ${first}`,
        {
          severity: 'warning',
          hint: `${where}this one never wins: change it, or give it a priority`,
        },
      );
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
