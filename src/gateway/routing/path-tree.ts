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
  best = NO_RANK;
  children: Map<string, PathNode<T>> | undefined = undefined;
  /** The first of each kind; the others follow in the order of rank. */
  exact: Candidate<T> | undefined = undefined;
  prefix: Candidate<T> | undefined = undefined;
  regex: Candidate<T> | undefined = undefined;

  constructor(parent: PathNode<T> | undefined) {
    this.parent = parent;
  }
}

export class PathTree<T> {
  readonly #root = new PathNode<T>(undefined);

  /** Candidates must be added from the highest rank to the lowest. */
  add(candidate: Candidate<T>): void {
    const { path } = candidate.entry;
    let node = this.#root;
    node.best = candidate.rank;
    for (const segment of segmentsOf(path)) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = new PathNode(node);
        node.children.set(segment, child);
      }
      node = child;
      node.best = candidate.rank;
    }
    candidate.next = node[path.kind];
    node[path.kind] = candidate;
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
  first: Candidate<T> | undefined,
  request: Routable,
  found: Candidate<T> | undefined,
): Candidate<T> | undefined {
  const bound = rankOf(found);
  for (let candidate = first; candidate !== undefined; candidate = candidate.next) {
    if (candidate.rank >= bound) break;
    const { requirements, regex } = candidate;
    if (requirements !== undefined && unmetRequirement(requirements, request) !== undefined) {
      continue;
    }
    // The dearest last: most requests never run the expression.
    if (regex === undefined || regex.matches(request.path)) return candidate;
  }
  return found;
}

/** Only a candidate of a lower rank can still win. */
function rankOf(found: Candidate<unknown> | undefined): number {
  return found === undefined ? NO_RANK : found.rank;
}
