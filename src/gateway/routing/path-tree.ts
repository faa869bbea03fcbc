/** The candidates of one host pattern, found by the segments of a path. */
import type { Candidate } from './candidate.ts';
import { segmentsOf } from './path-pattern.ts';
import { unmetRequirement } from './requirements.ts';
import type { Routable } from './route-spec.ts';

const SLASH = 0x2f;

/** Above every rank, and a small integer to the engine as Infinity would not be. */
const NO_RANK = 0x3fff_ffff;

class PathNode<T> {
  readonly parent: PathNode<T> | undefined;
  /** Lowest rank here and below: a subtree that cannot win is not entered. */
  readonly best: number;
  children: Map<string, PathNode<T>> | undefined = undefined;
  /** Each list is in the order of rank. */
  exact: Candidate<T>[] | undefined = undefined;
  prefix: Candidate<T>[] | undefined = undefined;
  regex: Candidate<T>[] | undefined = undefined;

  constructor(parent: PathNode<T> | undefined, best: number) {
    this.parent = parent;
    this.best = best;
  }
}

export class PathTree<T> {
  readonly #root: PathNode<T>;

  /** `best`: the rank of the first candidate that will be added. */
  constructor(best: number) {
    this.#root = new PathNode<T>(undefined, best);
  }

  /** Candidates must be added in the order of their ranks. */
  add(candidate: Candidate<T>): void {
    const { path } = candidate.entry;
    let node = this.#root;
    for (const segment of segmentsOf(path)) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = new PathNode(node, candidate.rank);
        node.children.set(segment, child);
      }
      node = child;
    }
    (node[path.kind] ??= []).push(candidate);
  }

  /** The candidate of the lowest rank that admits the request, or `found` where none is lower. */
  search(request: Routable, found: Candidate<T> | undefined): Candidate<T> | undefined {
    const bound = rankOf(found);
    let node = this.#root;
    if (node.best >= bound) return found;
    const { path } = request;
    // `*` is no path and has no segments; only an expression can name it.
    if (path.charCodeAt(0) !== SLASH) return firstAdmitting(node.regex, request, found);
    let best = found;
    let start = 1;
    while (node.children !== undefined) {
      const slash = path.indexOf('/', start);
      const child = node.children.get(slash === -1 ? path.slice(start) : path.slice(start, slash));
      if (child === undefined || child.best >= bound) break;
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
      if (node.parent === undefined) return best;
      node = node.parent;
    }
  }
}

function firstAdmitting<T>(
  candidates: Candidate<T>[] | undefined,
  request: Routable,
  found: Candidate<T> | undefined,
): Candidate<T> | undefined {
  if (candidates === undefined) return found;
  const bound = rankOf(found);
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    if (candidate.rank >= bound) break;
    const { requirements, path } = candidate.entry;
    if (requirements.length > 0 && unmetRequirement(requirements, request) !== undefined) continue;
    // The dearest last: most requests never run the expression.
    if (path.regex === undefined || path.regex.matches(request.path)) return candidate;
  }
  return found;
}

/** Only a candidate of a lower rank can still win. */
function rankOf(found: Candidate<unknown> | undefined): number {
  return found === undefined ? NO_RANK : found.rank;
}
