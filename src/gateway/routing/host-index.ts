/** A path tree for each host pattern, found by a request's host. */
import type { Candidate } from './candidate.ts';
import { PathTree } from './path-tree.ts';
import type { Routable } from './route-spec.ts';

export class HostIndex<T> {
  readonly #exact = new Map<string, PathTree<T>>();
  /** By what follows the `*`, dot included. */
  readonly #wildcards = new Map<string, PathTree<T>>();
  #anyHost: PathTree<T> | undefined;
  #longestWildcard = 0;

  /** Candidates must be added from the highest rank to the lowest. */
  add(candidate: Candidate<T>): void {
    this.#treeFor(candidate).add(candidate);
  }

  /**
   * The candidate of the lowest rank that admits the request. Exact host, longest wildcard
   * and none mostly win in this order; where `priority` says otherwise the rank decides.
   */
  search(request: Routable): Candidate<T> | undefined {
    const { host } = request;
    let best = this.#exact.get(host)?.search(request, undefined);
    if (this.#longestWildcard > 0) {
      // From 1: a wildcard stands for one label at least.
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        if (host.length - dot > this.#longestWildcard) continue;
        const tree = this.#wildcards.get(host.slice(dot));
        if (tree !== undefined) best = tree.search(request, best);
      }
    }
    return this.#anyHost === undefined ? best : this.#anyHost.search(request, best);
  }

  #treeFor({ host }: Candidate<T>): PathTree<T> {
    if (host.kind === 'any') return (this.#anyHost ??= new PathTree());
    const trees = host.kind === 'exact' ? this.#exact : this.#wildcards;
    let tree = trees.get(host.name);
    if (tree === undefined) {
      tree = new PathTree();
      trees.set(host.name, tree);
      if (host.kind === 'wildcard') {
        this.#longestWildcard = Math.max(this.#longestWildcard, host.name.length);
      }
    }
    return tree;
  }
}
