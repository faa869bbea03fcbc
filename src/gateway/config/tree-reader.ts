/** Makes plain data of YAML's nodes: aliases, merges and substitutions resolved, with what is wrong in it reported. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import type { ConfigPath } from './config-path.ts';
import type { ReportProblem } from './issue.ts';
import type { Substituter } from './substitute.ts';
import { Substitutions } from './substitutions.ts';

/** Values that aliases may come to, all together: far more than a use, far less than a bomb. */
const MAX_VALUES = 2_000_000;
export const MAX_DEPTH = 64;
export const TOO_DEEP = `nested too deeply: more than ${MAX_DEPTH} levels`;

/** What is well-formed, and cannot be made into a value. */
export class Unreadable extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

type Entry = { readonly key: Node | undefined; readonly value: Node | null };

export class TreeReader {
  readonly substitutions: Substitutions;
  readonly #report: ReportProblem;
  /** Anchors met so far: an alias refers to the last one before it. */
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new Map<Node, Node>();
  readonly #entries = new Map<YAMLMap, Map<string, Entry>>();
  readonly #path: (string | number)[];
  /** The outermost of the aliases that are being read. */
  #alias: Node | undefined;
  #values = 0;

  /** `path`: where what is read stands in its document. */
  constructor(substituter: Substituter, report: ReportProblem, path: ConfigPath = []) {
    this.substitutions = new Substitutions(substituter, report);
    this.#report = report;
    this.#path = [...path];
  }

  /** Whether some of what was read has a name, by which it may mean something elsewhere. */
  get hasAnchors(): boolean {
    return this.#anchors.size > 0;
  }

  read(node: Node | null): unknown {
    // What is written out is as much as the file is long.
    if (this.#alias !== undefined && ++this.#values > MAX_VALUES)
      throw this.#unreadable(node, 'aliases make this file too large');
    if (this.#path.length > MAX_DEPTH) {
      throw this.#unreadable(
        node,
        this.#alias === undefined ? TOO_DEEP : `${TOO_DEEP}, or an alias of itself`,
      );
    }
    if (isAlias(node)) return this.#readAlias(node);
    if (node === null) return null;
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (isMap(node)) return this.#readMap(node);
    if (isSeq(node)) {
      return node.items.map((item, i) => this.#below(i, () => this.read(item as Node | null)));
    }
    return this.#readScalar(node);
  }

  /** Where a value begins, or its key; walks as far as the file goes. */
  offsetOf(root: Node | null, path: ConfigPath, at: 'key' | 'value'): number {
    let node = this.#resolve(root);
    let offset = node?.range?.[0] ?? 0;
    for (const [i, step] of path.entries()) {
      const entry = this.#entryOf(node, step);
      if (entry === undefined) return offset;
      const wantsKey = at === 'key' && i === path.length - 1;
      const place = wantsKey ? (entry.key ?? entry.value) : (entry.value ?? entry.key);
      offset = place?.range?.[0] ?? offset;
      node = this.#resolve(entry.value);
    }
    return offset;
  }

  #readAlias(node: Node & { source: string }): unknown {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      throw this.#unreadable(node, `the alias *${node.source} has no anchor before it`);
    }
    this.#targets.set(node, target);
    const outer = this.#alias;
    this.#alias ??= node;
    const value = this.read(target);
    this.#alias = outer;
    return value;
  }

  /** Where it stands, or the alias by which it came to stand there. */
  #unreadable(node: Node | null, message: string): Unreadable {
    return new Unreadable(message, (this.#alias ?? node)?.range?.[0] ?? 0);
  }

  #readMap(map: YAMLMap): unknown {
    // oxlint-disable-next-line unicorn/no-null -- no prototype: `__proto__` is a key like any other
    const result = Object.create(null) as Record<string, unknown>;
    const merges: unknown[] = [];
    for (const pair of map.items) {
      const keyNode = pair.key as Node;
      const key = keyOf(keyNode);
      if (key === undefined) {
        this.#report(this.#path.slice(), 'a key must be a text', { hint: 'put it in quotes' });
        continue;
      }
      if (isMergeKey(keyNode)) {
        merges.push(...this.#readMerged(pair.value as Node | null));
        continue;
      }
      if (key in result) {
        this.#report([...this.#path, key], `the key ${JSON.stringify(key)} stands here twice`, {
          at: 'key',
        });
      }
      result[key] = this.#below(key, () => this.read(pair.value as Node | null));
    }
    for (const merged of merges) this.#merge(result, merged);
    return result;
  }

  /** What `<<` names, read as if it stood here: a mapping or a list of them. */
  #readMerged(node: Node | null): unknown[] {
    const list = isAlias(node) ? (this.#anchors.get(node.source) ?? null) : node;
    if (!isSeq(list)) return [this.read(node)];
    const outer = this.#alias;
    if (isAlias(node)) {
      this.#targets.set(node, list);
      this.#alias ??= node;
    }
    const merged = list.items.map((item) => this.read(item as Node | null));
    this.#alias = outer;
    return merged;
  }

  #merge(result: Record<string, unknown>, merged: unknown): void {
    if (typeof merged !== 'object' || merged === null || Array.isArray(merged)) {
      this.#report(this.#path.slice(), 'only mappings can be merged by `<<`');
      return;
    }
    for (const [key, value] of Object.entries(merged)) {
      if (!(key in result)) result[key] = value;
    }
  }

  #readScalar(node: Scalar): unknown {
    const { value } = node;
    return typeof value === 'string' ? this.substitutions.resolve(value, this.#path) : value;
  }

  #below<T>(step: string | number, read: () => T): T {
    this.#path.push(step);
    const value = read();
    this.#path.pop();
    return value;
  }

  #resolve(node: Node | null | undefined): Node | null {
    let resolved = node ?? null;
    while (resolved !== null && isAlias(resolved)) resolved = this.#targets.get(resolved) ?? null;
    return resolved;
  }

  #entryOf(node: Node | null, step: string | number): Entry | undefined {
    if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step] as Node | undefined;
      return item === undefined ? undefined : { key: undefined, value: item };
    }
    return isMap(node) ? this.#entriesOf(node).get(String(step)) : undefined;
  }

  #entriesOf(map: YAMLMap): Map<string, Entry> {
    let entries = this.#entries.get(map);
    if (entries === undefined) {
      entries = new Map();
      const merges: Node[] = [];
      for (const pair of map.items) {
        const key = pair.key as Node;
        const value = pair.value as Node | null;
        if (isMergeKey(key)) merges.push(...this.#mergeSources(value));
        else entries.set(keyOf(key) ?? '', { key, value });
      }
      for (const source of merges) {
        if (!isMap(source)) continue;
        for (const [key, entry] of this.#entriesOf(source)) {
          if (!entries.has(key)) entries.set(key, entry);
        }
      }
      this.#entries.set(map, entries);
    }
    return entries;
  }

  #mergeSources(value: Node | null): Node[] {
    const source = this.#resolve(value);
    const sources = isSeq(source)
      ? source.items.map((item) => this.#resolve(item as Node))
      : [source];
    return sources.filter((node) => node !== null);
  }
}

function keyOf(node: Node | null): string | undefined {
  if (!isScalar(node)) return undefined;
  const { value, source } = node;
  if (typeof value === 'string') return value;
  // A key such as `404` is the text as it was written, not a number.
  return typeof value === 'number' || typeof value === 'boolean'
    ? (source ?? `${value}`)
    : undefined;
}

function isMergeKey(node: Node | null): boolean {
  return isScalar(node) && node.value === '<<' && node.type === 'PLAIN';
}
