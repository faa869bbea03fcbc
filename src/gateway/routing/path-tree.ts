/** The candidates of one host pattern, found by the segments of a path. */
import { codeAt, cut, indexIn } from '../../mesh/transport/octets.ts';
import type { Candidate } from './candidate.ts';
import { LayeredMap } from './layered-map.ts';
import { unmetRequirement } from './requirements.ts';
import type { Routable } from './route-spec.ts';

const SLASH = 0x2f;

/** Above every tier, and a small integer to the engine as Infinity would not be. */
const NO_TIER = 0x3fff_ffff;

/** As a map it has the nodes below it, by the segment that leads there. */
export class PathNode<T> extends LayeredMap<PathNode<T>> {
  /** No candidate here or below has a lower tier: a subtree that cannot win is not entered. */
  best = NO_TIER;
  /** The first of each kind; the others follow in the order in which they win. */
  exact: Candidate<T> | undefined = undefined;
  prefix: Candidate<T> | undefined = undefined;
  regex: Candidate<T> | undefined = undefined;
}

/** The nodes above the one that a search is at; empty between two. */
const trail: PathNode<unknown>[] = [];
/** What is let go of must not be kept by the trail. */
const NOWHERE = new PathNode<unknown>();

/** The candidate that wins among those that admit the request, or `found` where that one wins over them. */
export function searchPaths<T>(
  root: PathNode<T>,
  request: Routable,
  found: Candidate<T> | undefined,
): Candidate<T> | undefined {
  const bound = found === undefined ? NO_TIER : found.tier;
  if (root.best > bound) return found;
  const { path } = request;
  // `*` is no path and has no segments; only an expression can name it.
  if (codeAt(path, 0) !== SLASH) return firstAdmitting(root.regex, request, found);
  let node = root;
  let best = found;
  let depth = 0;
  let start = 1;
  for (;;) {
    const slash = indexIn(path, '/', start);
    const child = node.get(slash === -1 ? cut(path, start) : cut(path, start, slash));
    if (child === undefined || child.best > bound) break;
    trail[depth++] = node;
    node = child;
    if (slash === -1) {
      best = firstAdmitting(node.exact, request, best);
      break;
    }
    start = slash + 1;
  }
  // Back to the root: the longest prefix comes first, and mostly shuts out the shorter ones.
  for (;;) {
    best = firstAdmitting(node.regex, request, best);
    best = firstAdmitting(node.prefix, request, best);
    if (depth === 0) return best;
    node = trail[--depth] as PathNode<T>;
    trail[depth] = NOWHERE;
  }
}

function firstAdmitting<T>(
  first: Candidate<T> | undefined,
  request: Routable,
  found: Candidate<T> | undefined,
): Candidate<T> | undefined {
  for (let candidate = first; candidate !== undefined; candidate = candidate.next) {
    if (found !== undefined && !goesBefore(candidate, found)) break;
    const { requirements, regex } = candidate;
    if (requirements !== undefined && unmetRequirement(requirements, request) !== undefined) {
      continue;
    }
    // The dearest last: most requests never run the expression.
    if (regex === undefined || regex.matches(request.path)) return candidate;
  }
  return found;
}

/** Which of two wins; false for two hosts of one entry, too. */
export function goesBefore(a: Candidate<unknown>, b: Candidate<unknown>): boolean {
  return a.tier < b.tier || (a.tier === b.tier && a.order < b.order);
}
