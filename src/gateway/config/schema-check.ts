/** Holds a document against the schema, and takes out what does not meet it. */
import { parsePointer, toPointer, valueAt, type ConfigPath } from './config-path.ts';
import { nearestName } from './nearest-name.ts';
import type { PlacedFault, SchemaValidator } from './schema-validator.ts';

/** What the schema says of a document that is still as the file has it. */
export interface SchemaCheck {
  readonly faults: readonly PlacedFault[];
  /** JSON pointers of secrets. */
  readonly secrets: readonly string[];
}

/** What is left of a document once all that is wrong with it has been taken out. */
export interface Pruned {
  /** It meets the schema, but for unknown keys and `meshgate`; false: it is past looking into. */
  readonly usable: boolean;
  /** Whether something at or below this place was taken out, so that its absence means nothing. */
  isGap(path: ConfigPath): boolean;
}

const LISTS = new Set<unknown>(['listeners', 'routes', 'consumers']);
/** Each round takes out what the last one left without a required part. */
const MAX_ROUNDS = 20;

/**
 * Fills in defaults, and turns substituted texts into the numbers and truth values that the
 * schema wants. `substituted` are the JSON pointers of such texts.
 */
export function checkSchema(
  root: unknown,
  validate: SchemaValidator,
  substituted: ReadonlySet<string>,
): SchemaCheck {
  let findings = validate(root);
  const coerced = coerce(root, findings.faults, substituted);
  if (coerced.size > 0) {
    findings = validate(root);
    if (restoreTexts(root, findings.faults, coerced)) findings = validate(root);
  }
  return findings;
}

/**
 * Takes faulty values out of `root`, so that the checks that follow can look at the rest and
 * all that is wrong is told at once. `unresolved` are places without a value to speak of.
 */
export function prune(
  root: unknown,
  { faults }: SchemaCheck,
  validate: SchemaValidator,
  unresolved: Iterable<ConfigPath>,
): Pruned {
  const gaps = new GapTree();
  for (const path of unresolved) gaps.add(path);
  for (const { pointer, fault } of faults) {
    if (fault.kind !== 'unknown-key') continue;
    const meant = nearestName(fault.key, fault.allowed);
    if (meant === undefined) continue;
    // The right key is missing only because it was misspelt.
    const path = [...parsePointer(pointer, root), meant];
    if (valueAt(root, path) === undefined) gaps.add(path);
  }
  const usable = removeFaults(root, faults, validate, gaps);
  return { usable, isGap: (path) => gaps.has(path) };
}

/**
 * The faults worth telling: a missing key whose misspelling is told about already is no second
 * one but part of the first, nor is the type of a value where it is told which values may stand there.
 */
export function withoutConsequences(faults: readonly PlacedFault[]): readonly PlacedFault[] {
  const misspelt = new Set<string>();
  const missing = new Set<string>();
  const notAllowed = new Set<string>();
  for (const { pointer, fault } of faults) {
    if (fault.kind === 'not-allowed') notAllowed.add(pointer);
    if (fault.kind === 'missing') missing.add(`${pointer}\n${fault.key}`);
    if (fault.kind !== 'unknown-key') continue;
    const meant = nearestName(fault.key, fault.allowed);
    if (meant !== undefined) misspelt.add(`${pointer}\n${meant}`);
  }
  const told = faults.filter(({ pointer, fault }) => {
    if (fault.kind === 'missing') return !misspelt.has(`${pointer}\n${fault.key}`);
    return fault.kind !== 'type' || !notAllowed.has(pointer);
  });
  return told.map(({ pointer, fault }) => {
    if (fault.kind !== 'unknown-key') return { pointer, fault };
    const meant = nearestName(fault.key, fault.allowed);
    if (meant === undefined || !missing.has(`${pointer}\n${meant}`)) return { pointer, fault };
    return { pointer, fault: { ...fault, missing: meant } };
  });
}

/** Substitution yields texts; where one does not do, what it reads as is tried. Returns the texts. */
function coerce(
  root: unknown,
  faults: readonly PlacedFault[],
  substituted: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { pointer, fault } of faults) {
    if (!substituted.has(pointer)) continue;
    if (fault.kind !== 'type' && fault.kind !== 'not-allowed') continue;
    const path = parsePointer(pointer, root);
    const text = valueAt(root, path);
    const value = typeof text === 'string' ? toScalar(text) : undefined;
    if (typeof text !== 'string' || value === undefined) continue;
    texts.set(pointer, text);
    setAt(root, path, value);
  }
  return texts;
}

/** What does not do as a number or truth value either is told about as the text that it is. */
function restoreTexts(
  root: unknown,
  faults: readonly PlacedFault[],
  texts: ReadonlyMap<string, string>,
): boolean {
  let restored = false;
  for (const { pointer, fault } of faults) {
    const text = texts.get(pointer);
    if (text === undefined) continue;
    if (fault.kind !== 'type' && fault.kind !== 'not-allowed') continue;
    setAt(root, parsePointer(pointer, root), text);
    restored = true;
  }
  return restored;
}

function toScalar(text: string): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?[0-9]{1,16}(\.[0-9]{1,16})?$/.test(text) ? Number(text) : undefined;
}

function removeFaults(
  root: unknown,
  first: readonly PlacedFault[],
  validate: SchemaValidator,
  gaps: GapTree,
): boolean {
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return false;
  let faults = first;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const { pointer, fault } of faults) {
      if (fault.kind === 'unknown-key' || pointer === '') continue;
      const path = toRemovable(parsePointer(pointer, root));
      if (gaps.isRemoved(path)) continue;
      changed = true;
      if (fault.kind === 'missing' && fault.key === 'name' && isEntry(path)) {
        // The rest of it can still be looked at.
        setAt(root, [...path, 'name'], `unnamed-${String(path[1])}`);
        gaps.add([...path, 'name']);
        continue;
      }
      removeAt(root, path);
      gaps.remove(path);
    }
    if (!changed) return true;
    faults = validate(root).faults;
  }
  return false;
}

/** A plugin's own check gets a config that meets its schema, or none at all. */
function toRemovable(path: ConfigPath): ConfigPath {
  const at = path.lastIndexOf('plugins');
  if (at === -1) return path;
  const name = typeof path[at + 1] === 'number' ? at + 2 : at + 1;
  return path.slice(0, name + 1);
}

function isEntry(path: ConfigPath): boolean {
  return path.length === 2 && LISTS.has(path[0]);
}

/** Places where something was taken out. */
class GapTree {
  readonly #removed = new Set<string>();
  readonly #above = new Set<string>();

  add(path: ConfigPath): void {
    for (let length = 0; length <= path.length; length++) {
      this.#above.add(toPointer(path.slice(0, length)));
    }
  }

  remove(path: ConfigPath): void {
    this.add(path);
    this.#removed.add(toPointer(path));
  }

  /** Itself, or something around it. */
  isRemoved(path: ConfigPath): boolean {
    for (let length = 1; length <= path.length; length++) {
      if (this.#removed.has(toPointer(path.slice(0, length)))) return true;
    }
    return false;
  }

  has(path: ConfigPath): boolean {
    return this.#above.has(toPointer(path));
  }
}

function parentOf(root: unknown, path: ConfigPath): Record<string | number, unknown> {
  return valueAt(root, path.slice(0, -1)) as Record<string | number, unknown>;
}

function setAt(root: unknown, path: ConfigPath, value: unknown): void {
  parentOf(root, path)[path.at(-1)!] = value;
}

/** An item leaves a hole: its neighbours keep their places, and their places in the file. */
function removeAt(root: unknown, path: ConfigPath): void {
  const parent = parentOf(root, path);
  const step = path.at(-1)!;
  if (typeof step === 'number') parent[step] = undefined;
  else delete parent[step];
}
