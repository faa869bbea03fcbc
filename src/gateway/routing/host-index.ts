/** A path tree for each host pattern, found by a request's host. */
import type { Candidate } from './candidate.ts';
import type { HostPattern } from './host-pattern.ts';
import { LayeredMap } from './layered-map.ts';
import { PathTreeEditor } from './path-tree-editor.ts';
import { searchPaths, type PathNode } from './path-tree.ts';
import type { Routable } from './route-spec.ts';
import type { Steps } from './sliced-work.ts';

export class HostIndex<T> {
  readonly #exact = new LayeredMap<PathNode<T>>();
  /** By what follows the `*`, dot included. */
  readonly #wildcards = new LayeredMap<PathNode<T>>();
  #anyHost: PathNode<T> | undefined;
  /** None is longer. */
  #longestWildcard = 0;

  /**
   * The candidate that wins among those that admit the request. Exact host, longest wildcard
   * and none mostly win in this order; where `priority` says otherwise the tier decides.
   */
  search(request: Routable): Candidate<T> | undefined {
    const { host } = request;
    const exact = this.#exact.get(host);
    let best = exact === undefined ? undefined : searchPaths(exact, request, undefined);
    if (this.#longestWildcard > 0) {
      // From 1: a wildcard stands for one label at least.
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        if (host.length - dot > this.#longestWildcard) continue;
        const tree = this.#wildcards.get(host.slice(dot));
        if (tree !== undefined) best = searchPaths(tree, request, best);
      }
    }
    return this.#anyHost === undefined ? best : searchPaths(this.#anyHost, request, best);
  }

  /** Another index, for the price of the difference; this one stays as it is. A step a candidate. */
  *with(removed: readonly Candidate<T>[], added: readonly Candidate<T>[]): Steps<HostIndex<T>> {
    const next = new HostIndex<T>();
    yield* next.#exact.takeOver(this.#exact);
    yield* next.#wildcards.takeOver(this.#wildcards);
    next.#anyHost = this.#anyHost;
    next.#longestWildcard = this.#longestWildcard;
    const editor = new PathTreeEditor<T>();
    for (const candidate of removed) {
      const tree = next.#treeOf(candidate.host);
      if (tree === undefined) throw new Error('a route is not under the host where it was put');
      next.#put(candidate.host, yield* editor.remove(tree, candidate));
      yield;
    }
    for (const candidate of added) {
      const { host } = candidate;
      next.#put(host, yield* editor.add(next.#treeOf(host), candidate));
      yield;
    }
    return next;
  }

  #treeOf({ kind, name }: HostPattern): PathNode<T> | undefined {
    if (kind === 'any') return this.#anyHost;
    return (kind === 'exact' ? this.#exact : this.#wildcards).get(name);
  }

  #put({ kind, name }: HostPattern, tree: PathNode<T> | undefined): void {
    if (kind === 'any') {
      this.#anyHost = tree;
      return;
    }
    const trees = kind === 'exact' ? this.#exact : this.#wildcards;
    if (tree === undefined) trees.delete(name);
    else if (trees.get(name) !== tree) trees.set(name, tree);
    if (kind === 'wildcard') {
      this.#longestWildcard = Math.max(this.#longestWildcard, name.length);
    }
  }
}
