/** Changes path trees without touching what others read: what changes is copied, on the way to it too. */
import { Candidate } from './candidate.ts';
import { segmentsOf } from './path-pattern.ts';
import { goesBefore, PathNode } from './path-tree.ts';
import type { Steps } from './sliced-work.ts';

type Kind = 'exact' | 'prefix' | 'regex';

/** For the changes that lead from one version to the next. */
export class PathTreeEditor<T> {
  /** Nodes that have been made here, and that nobody reads yet. */
  readonly #own = new Set<PathNode<T>>();

  /** Returns the root of the changed tree. What is first to win is quickest to add where it comes last. */
  *add(root: PathNode<T> | undefined, candidate: Candidate<T>): Steps<PathNode<T>> {
    const { path } = candidate.entry;
    const top = yield* this.#toOwn(root);
    let node = top;
    node.best = Math.min(node.best, candidate.tier);
    for (const segment of segmentsOf(path)) {
      const known = node.get(segment);
      const child = yield* this.#toOwn(known);
      if (child !== known) node.set(segment, child);
      node = child;
      node.best = Math.min(node.best, candidate.tier);
    }
    node[path.kind] = withOne(node[path.kind], candidate);
    return top;
  }

  /** Without the candidates that `wanted` is like; undefined where there is nothing left. */
  *remove(root: PathNode<T>, wanted: Candidate<T>): Steps<PathNode<T> | undefined> {
    const { path } = wanted.entry;
    const segments = segmentsOf(path);
    const nodes = [yield* this.#toOwn(root)];
    for (const segment of segments) {
      const above = nodes.at(-1)!;
      const known = above.get(segment);
      if (known === undefined) throw new Error('a route is not where it was put');
      const child = yield* this.#toOwn(known);
      if (child !== known) above.set(segment, child);
      nodes.push(child);
    }
    const last = nodes.at(-1)!;
    last[path.kind] = withoutOne(last, path.kind, wanted);
    while (nodes.length > 1 && isBare(nodes.at(-1)!)) {
      nodes.pop();
      nodes.at(-1)!.delete(segments[nodes.length - 1]!);
    }
    return isBare(nodes[0]!) ? undefined : nodes[0]!;
  }

  *#toOwn(node: PathNode<T> | undefined): Steps<PathNode<T>> {
    if (node !== undefined && this.#own.has(node)) return node;
    const own = new PathNode<T>();
    this.#own.add(own);
    if (node === undefined) return own;
    yield* own.takeOver(node);
    own.best = node.best;
    own.exact = node.exact;
    own.prefix = node.prefix;
    own.regex = node.regex;
    return own;
  }
}

function isBare<T>(node: PathNode<T>): boolean {
  const { exact, prefix, regex } = node;
  return exact === undefined && prefix === undefined && regex === undefined && node.isEmpty;
}

/** What stands before it is copied, since it leads to it. */
function withOne<T>(first: Candidate<T> | undefined, added: Candidate<T>): Candidate<T> {
  const before: Candidate<T>[] = [];
  let rest = first;
  while (rest !== undefined && goesBefore(rest, added)) {
    before.push(rest);
    rest = rest.next;
  }
  added.next = rest;
  return relinked(before, added)!;
}

function withoutOne<T>(
  node: PathNode<T>,
  kind: Kind,
  { value, entry }: Candidate<T>,
): Candidate<T> | undefined {
  const before: Candidate<T>[] = [];
  let rest = node[kind];
  while (rest !== undefined && (rest.value !== value || rest.entry !== entry)) {
    before.push(rest);
    rest = rest.next;
  }
  if (rest === undefined) throw new Error('a match entry is not where it was put');
  return relinked(before, rest.next);
}

/** Copies of some, each leading to the next one, and the last of them to `rest`. */
function relinked<T>(
  some: readonly Candidate<T>[],
  rest: Candidate<T> | undefined,
): Candidate<T> | undefined {
  let next = rest;
  for (const { value, host, entry, tier } of some.toReversed()) {
    const copy = new Candidate(value, { host, entry }, tier);
    copy.next = next;
    next = copy;
  }
  return next;
}
