/** Finds the route of a request, at a cost that does not grow with the number of routes. */
import { type Candidate, type CompiledEntry, toCompiledEntry } from './candidate.ts';
import { HostIndex } from './host-index.ts';
import { type MatchNarrator, narrate } from './narration.ts';
import { compareCandidates } from './rank.ts';
import { runAtOnce, runInSlices, sortInSteps, type Steps } from './sliced-work.ts';
import type { Routable, RouteMatch, RouteSpec } from './route-spec.ts';

/** The routes of one listener. */
export interface RouteTable<T> {
  /**
   * The match entry that wins, or undefined where none admits the request. With a narrator the
   * same search runs, and then every entry is told of; that part does grow with the routes.
   */
  match(request: Routable, narrator?: MatchNarrator): RouteMatch<T> | undefined;
}

/** How long a table may be built before others get a turn, in milliseconds. */
const DEFAULT_SLICE_MS = 4;

/** Throws a TypeError on a path or an expression that a checked configuration would not have. */
export function createRouteTable<T>(specs: readonly RouteSpec<T>[]): RouteTable<T> {
  return runAtOnce(buildSteps(specs));
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
  return runInSlices(buildSteps(specs), pause, sliceMs, monotonicMs);
}

const INDEXED_PER_STEP = 64;

function* buildSteps<T>(specs: readonly RouteSpec<T>[]): Steps<RouteTable<T>> {
  const entries: CompiledEntry<T>[] = [];
  const candidates: Candidate<T>[] = [];
  for (const [routeIndex, spec] of specs.entries()) {
    for (const entryIndex of spec.matches.keys()) {
      const entry = toCompiledEntry(spec, routeIndex, entryIndex);
      entries.push(entry);
      candidates.push(...entry.candidates);
      yield;
    }
  }
  const ranked = yield* sortInSteps(candidates, compareCandidates);
  const index = new HostIndex<T>();
  for (let rank = ranked.length - 1; rank >= 0; rank--) {
    const candidate = ranked[rank]!;
    candidate.rank = rank;
    index.add(candidate);
    if (rank % INDEXED_PER_STEP === 0) yield;
  }
  return new IndexedRouteTable(entries, index);
}

class IndexedRouteTable<T> implements RouteTable<T> {
  /** In the order of the file. */
  readonly #entries: readonly CompiledEntry<T>[];
  readonly #index: HostIndex<T>;

  constructor(entries: readonly CompiledEntry<T>[], index: HostIndex<T>) {
    this.#entries = entries;
    this.#index = index;
  }

  match(request: Routable, narrator?: MatchNarrator): RouteMatch<T> | undefined {
    const winner = this.#index.search(request);
    if (narrator !== undefined) narrate(this.#entries, winner, request, narrator);
    return winner;
  }
}
