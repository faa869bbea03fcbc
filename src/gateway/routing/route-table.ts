/** Finds the route of a request, at a cost that does not grow with the number of routes. */
import { Candidate, placeRoute, type HostedEntry, type PlacedRoute } from './candidate.ts';
import { HostIndex } from './host-index.ts';
import { type MatchNarrator, narrate } from './narration.ts';
import { goesBefore } from './path-tree.ts';
import { tierKeyOf } from './rank.ts';
import { runAtOnce, runInSlices, sortInSteps, type Steps } from './sliced-work.ts';
import type { Routable, RouteMatch, RouteSpec } from './route-spec.ts';
import { Tiers } from './tiers.ts';

/** The routes of one listener. */
export interface RouteTable<T> {
  /**
   * The match entry that wins, or undefined where none admits the request. With a narrator the
   * same search runs, and then every entry is told of; that part does grow with the routes.
   */
  match(request: Routable, narrator?: MatchNarrator): RouteMatch<T> | undefined;
}

/** What leads from the routes of one table to those of another. */
export interface RouteChange<T> {
  readonly removed: readonly PlacedRoute<T>[];
  readonly added: readonly PlacedRoute<T>[];
}

/** How long a table may be built before others get a turn, in milliseconds. */
const DEFAULT_SLICE_MS = 4;

/** Throws a TypeError on a path or an expression that a checked configuration would not have. */
export function createRouteTable<T>(specs: readonly RouteSpec<T>[]): RouteTable<T> {
  return runAtOnce(buildOf(specs));
}

/**
 * The same table, built while traffic flows: about every `sliceMs` milliseconds (default 4) it
 * waits for `pause`. Rejects where `createRouteTable` throws.
 */
export function createRouteTableInSlices<T>(
  specs: readonly RouteSpec<T>[],
  pause: () => Promise<void>,
  sliceMs = DEFAULT_SLICE_MS,
  monotonicMs: () => number = () => performance.now(),
): Promise<RouteTable<T>> {
  return runInSlices(buildOf(specs), pause, sliceMs, monotonicMs);
}

function* buildOf<T>(specs: readonly RouteSpec<T>[]): Steps<RouteTable<T>> {
  const placed: PlacedRoute<T>[] = [];
  let order = 0;
  for (const spec of specs) {
    placed.push(placeRoute(spec, order));
    order += spec.matches.length;
    yield;
  }
  return yield* PlacedRouteTable.of(placed);
}

/** One that others can be made from that differ in little. */
export class PlacedRouteTable<T> implements RouteTable<T> {
  readonly #index: HostIndex<T>;
  readonly #tiers: Tiers;
  /** In the order of the file. */
  readonly #routes: () => readonly PlacedRoute<T>[];

  private constructor(index: HostIndex<T>, tiers: Tiers, routes: () => readonly PlacedRoute<T>[]) {
    this.#index = index;
    this.#tiers = tiers;
    this.#routes = routes;
  }

  /** `routes`: placed in their order. */
  static *of<T>(routes: readonly PlacedRoute<T>[]): Steps<PlacedRouteTable<T>> {
    const samples = new Map<string, HostedEntry>();
    for (const { entries } of routes) {
      for (const one of hostedEntries(entries)) {
        const key = tierKeyOf(one);
        if (!samples.has(key)) samples.set(key, one);
      }
      yield;
    }
    const tiers = Tiers.of([...samples.values()]);
    const candidates: Candidate<T>[] = [];
    for (const route of routes) {
      candidates.push(...candidatesOf(route, tiers));
      yield;
    }
    // The last to win comes first: each then goes to the head of its list.
    const sorted = yield* sortInSteps(candidates, (a, b) =>
      goesBefore(b, a) ? -1 : Number(goesBefore(a, b)),
    );
    const index = yield* new HostIndex<T>().with([], sorted);
    return new PlacedRouteTable(index, tiers, () => routes);
  }

  /**
   * The table of `routes`, for the price of what differs; this one stays as it is, and goes on.
   * `change` tells what leads from its own routes to those, who are asked for only when needed.
   */
  *with(
    { removed, added }: RouteChange<T>,
    routes: () => readonly PlacedRoute<T>[],
  ): Steps<PlacedRouteTable<T>> {
    let tiers: Tiers | undefined = this.#tiers;
    for (const one of added.flatMap(({ entries }) => [...hostedEntries(entries)])) {
      if (tiers.labelOf(one) === undefined) tiers = tiers.with(one);
      if (tiers === undefined) return yield* PlacedRouteTable.of(routes());
      yield;
    }
    const toCandidates = (some: readonly PlacedRoute<T>[]): Candidate<T>[] =>
      some.flatMap((route) => candidatesOf(route, tiers));
    const index = yield* this.#index.with(toCandidates(removed), toCandidates(added));
    return new PlacedRouteTable(index, tiers, routes);
  }

  match(request: Routable, narrator?: MatchNarrator): RouteMatch<T> | undefined {
    const winner = this.#index.search(request);
    if (narrator !== undefined) {
      const entries = this.#routes().flatMap((route) => route.entries);
      narrate(entries, winner, request, narrator);
    }
    return winner;
  }
}

function* hostedEntries(entries: PlacedRoute<unknown>['entries']): Generator<HostedEntry> {
  for (const entry of entries) for (const host of entry.hosts) yield { host, entry };
}

function candidatesOf<T>({ value, entries }: PlacedRoute<T>, tiers: Tiers): Candidate<T>[] {
  const candidates: Candidate<T>[] = [];
  for (const one of hostedEntries(entries)) {
    candidates.push(new Candidate(value, one, tiers.labelOf(one)!));
  }
  return candidates;
}
