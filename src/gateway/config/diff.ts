/** What differs between two configurations, object by object, without showing a secret. */
import type { Config } from './config.ts';
import { NAMED_LISTS, PARTS, shownPath, shownValue } from './displayed-config.ts';

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

/** Values of these keys of a plugin's config are secrets, whatever its schema says. */
const SECRET_KEY = /secret|passw|passphrase|credential|token$|private|^apikey$|^k$|^d$/i;
const HIDDEN = '(hidden)';
const SHOWN_HASH_DIGITS = 8;

/**
 * The changes that lead from one configuration to another; none where they mean the same.
 * Objects with names are compared by name, other lists place by place.
 */
export function diffConfigs(before: Config, after: Config): readonly ConfigChange[] {
  const comparison = new Comparison(before, after);
  for (const part of PARTS) comparison.compare(part, part, before[part], after[part]);
  for (const list of NAMED_LISTS) comparison.compareNamed(list, before[list], after[list]);
  comparison.compareOrder(before, after);
  return comparison.changes;
}

/** One line for people: `~ routes.orders.timeout: "10s" → "30s"`. */
export function toChangeText({ kind, path, before, after }: ConfigChange): string {
  if (kind === 'added') return `+ ${path}: ${JSON.stringify(after)}`;
  if (kind === 'removed') return `- ${path}: ${JSON.stringify(before)}`;
  return `~ ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}

class Comparison {
  readonly changes: ConfigChange[] = [];
  readonly #hiddenBefore: ReadonlyMap<string, string>;
  readonly #hiddenAfter: ReadonlyMap<string, string>;

  constructor(before: Config, after: Config) {
    this.#hiddenBefore = redactionsOf(before);
    this.#hiddenAfter = redactionsOf(after);
  }

  compare(path: string, key: string | number, before: unknown, after: unknown): void {
    if (isEqual(before, after)) return;
    if (before === undefined || after === undefined) {
      this.#note(before === undefined ? 'added' : 'removed', path, key, before, after);
    } else if (Array.isArray(before) && Array.isArray(after) && hasObjects([...before, ...after])) {
      for (let i = 0; i < Math.max(before.length, after.length); i++) {
        this.compare(shownPath(path, i), i, before[i], after[i]);
      }
    } else if (isShape(before) && isShape(after)) {
      for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
        this.compare(shownPath(path, member), member, own(before, member), own(after, member));
      }
    } else {
      this.#note('changed', path, key, before, after);
    }
  }

  compareNamed(
    list: string,
    before: readonly { readonly name: string }[],
    after: readonly { readonly name: string }[],
  ): void {
    const old = new Map(before.map((entry) => [entry.name, entry]));
    for (const entry of after) {
      this.compare(shownPath(list, entry.name), entry.name, old.get(entry.name), entry);
      old.delete(entry.name);
    }
    for (const entry of old.values()) {
      this.compare(shownPath(list, entry.name), entry.name, entry, undefined);
    }
  }

  /** The order of routes decides between those of equal rank. */
  compareOrder(before: Config, after: Config): void {
    const names = (config: Config, other: Config): string[] => {
      const known = new Set(other.routes.map((route) => route.name));
      return config.routes.map((route) => route.name).filter((name) => known.has(name));
    };
    const [old, current] = [names(before, after), names(after, before)];
    if (isEqual(old, current)) return;
    this.changes.push({ kind: 'changed', path: 'routes (order)', before: old, after: current });
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

function redactionsOf(config: Config): ReadonlyMap<string, string> {
  return new Map(config.redactions.map(({ path, text }) => [path, text]));
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
      toShown(item, shownPath(path, i), isSecret(key) ? key : i, hidden),
    );
  }
  if (isShape(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(
      members.map(([member, item]) => {
        const isBelowSecret = isSecret(key) && typeof item !== 'boolean';
        const below = shownPath(path, member);
        return [shownPath('', member), toShown(item, below, isBelowSecret ? key : member, hidden)];
      }),
    );
  }
  if (typeof value === 'string' && isSecret(key)) return HIDDEN;
  return typeof value === 'string' ? withoutUserInfo(value) : shownValue(key, value);
}

function isSecret(key: string | number): boolean {
  return typeof key === 'string' && SECRET_KEY.test(key);
}

/** `https://user:password@host` */
function withoutUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, `$1${HIDDEN}@`);
}

function own(shape: Shape, key: string): unknown {
  return Object.hasOwn(shape, key) ? shape[key] : undefined;
}

function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasObjects(items: readonly unknown[]): boolean {
  return items.some((item) => typeof item === 'object' && item !== null);
}

/** What is not set may be undefined or, after a round trip through JSON, absent. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  }
  if (!isShape(a) || !isShape(b)) return false;
  return (
    Object.keys(a).every((key) => isEqual(a[key], own(b, key))) &&
    Object.keys(b).every((key) => own(a, key) !== undefined || b[key] === undefined)
  );
}
