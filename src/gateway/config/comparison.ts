/** Compares two configurations part by part, and shows what differs without a secret. */
import { isObject } from '../../mesh/backplane/json-object.ts';
import type { Redaction } from './config.ts';
import { shownPath, shownValue } from './displayed-config.ts';
import {
  HIDDEN,
  holdsPrivateKey,
  isSecretKey,
  SHOWN_HASH_DIGITS,
  withoutUserInfo,
} from './secret-text.ts';

/** Of one value, or of a whole object that only one side has. */
export interface ConfigChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** By name, e.g. `routes.orders.timeout`. */
  readonly path: string;
  /** As it may be shown; undefined where it was added. */
  readonly before: unknown;
  /** As it may be shown; undefined where it was removed. */
  readonly after: unknown;
}

type Shape = Readonly<Record<string, unknown>>;

export class Comparison {
  readonly changes: ConfigChange[] = [];
  readonly #hiddenBefore: ReadonlyMap<string, string>;
  readonly #hiddenAfter: ReadonlyMap<string, string>;

  constructor(hiddenBefore: readonly Redaction[], hiddenAfter: readonly Redaction[]) {
    this.#hiddenBefore = textsOf(hiddenBefore);
    this.#hiddenAfter = textsOf(hiddenAfter);
  }

  compare(path: string, key: string | number, before: unknown, after: unknown): void {
    if (isEqual(before, after)) return;
    if (before === undefined || after === undefined) {
      this.#note(before === undefined ? 'added' : 'removed', path, key, before, after);
    } else if (Array.isArray(before) && Array.isArray(after) && hasObjects([...before, ...after])) {
      for (let i = 0; i < Math.max(before.length, after.length); i++) {
        this.compare(shownPath(path, i), i, before[i], after[i]);
      }
    } else if (isObject(before) && isObject(after)) {
      for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
        this.compare(shownPath(path, member), member, own(before, member), own(after, member));
      }
    } else {
      this.#note('changed', path, key, before, after);
    }
  }

  /** By name, wherever the entries stand. */
  compareNamed<Entry extends { readonly name: string }>(
    list: string,
    before: readonly Entry[],
    after: readonly Entry[],
    valueOf: (entry: Entry) => unknown = (entry) => entry,
  ): void {
    const old = new Map(before.map((entry) => [entry.name, valueOf(entry)]));
    for (const entry of after) {
      const { name } = entry;
      this.compare(shownPath(list, name), name, old.get(name), valueOf(entry));
      old.delete(name);
    }
    for (const [name, value] of old) {
      this.compare(shownPath(list, name), name, value, undefined);
    }
  }

  /** Of entries that both sides have. */
  compareOrder(
    list: string,
    before: readonly { readonly name: string }[],
    after: readonly { readonly name: string }[],
  ): void {
    const [old, current] = [commonNames(before, after), commonNames(after, before)];
    if (isEqual(old, current)) return;
    this.changes.push({ kind: 'changed', path: `${list} (order)`, before: old, after: current });
  }

  #note(
    kind: ConfigChange['kind'],
    path: string,
    key: string | number,
    before: unknown,
    after: unknown,
  ): void {
    this.changes.push({
      kind,
      path,
      before: toShown(before, path, key, this.#hiddenBefore),
      after: toShown(after, path, key, this.#hiddenAfter),
    });
  }
}

function textsOf(redactions: readonly Redaction[]): ReadonlyMap<string, string> {
  return new Map(redactions.map(({ path, text }) => [path, text]));
}

function commonNames(
  list: readonly { readonly name: string }[],
  other: readonly { readonly name: string }[],
): string[] {
  const known = new Set(other.map(({ name }) => name));
  return list.map(({ name }) => name).filter((name) => known.has(name));
}

/** A copy with secrets hidden and units written out. */
function toShown(
  value: unknown,
  path: string,
  key: string | number,
  hidden: ReadonlyMap<string, string>,
): unknown {
  const instead = hidden.get(path);
  if (instead !== undefined && value !== undefined) return instead;
  if (Array.isArray(value)) {
    if (key === 'apiKeyHashes')
      return value.map((hash) => `${String(hash).slice(0, SHOWN_HASH_DIGITS)}…`);
    return value.map((item, i) =>
      toShown(item, shownPath(path, i), isSecretKey(key) ? key : i, hidden),
    );
  }
  if (isObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(
      members.map(([member, item]) => {
        const isBelowSecret = isSecretKey(key) && typeof item !== 'boolean';
        const below = shownPath(path, member);
        return [shownPath('', member), toShown(item, below, isBelowSecret ? key : member, hidden)];
      }),
    );
  }
  if (typeof value === 'string' && (isSecretKey(key) || holdsPrivateKey(value))) return HIDDEN;
  return typeof value === 'string' ? withoutUserInfo(value) : shownValue(key, value);
}

function own(shape: Shape, key: string): unknown {
  return Object.hasOwn(shape, key) ? shape[key] : undefined;
}

function hasObjects(items: readonly unknown[]): boolean {
  return items.some((item) => typeof item === 'object' && item !== null);
}

/** What is not set may be undefined or, after a round trip through JSON, absent. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  return (
    Object.keys(a).every((key) => isEqual(a[key], own(b, key))) &&
    Object.keys(b).every((key) => own(a, key) !== undefined || b[key] === undefined)
  );
}
