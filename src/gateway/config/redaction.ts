/** Keeps values that came by substitution, and secrets, out of everything that is printed. */
import { byteSize, durationMs } from '../../plugins/sdk/quantity.ts';
import { toPointer, type ConfigPath } from './config-path.ts';
import type { Redaction } from './config.ts';
import { NAMED_LISTS, shownPath } from './displayed-config.ts';
import type { Problem } from './issue.ts';

/** A value that may not be shown, and what may be shown instead. */
export interface HiddenValue {
  readonly path: ConfigPath;
  readonly text: string;
  readonly value: string;
}

export interface HiddenValues {
  /** What to show for the value at a JSON pointer; undefined: the value itself. */
  readonly shownInstead: (pointer: string) => string | undefined;
  /** A problem whose texts hold no hidden value. */
  toShownProblem(problem: Problem): Problem;
  /**
   * The leaves of a normalised part that stem from a hidden value at or below `source`.
   * `shown` is the part's own name, e.g. `routes.orders`.
   */
  redactionsOf(part: unknown, shown: string, source: ConfigPath): readonly Redaction[];
}

/** Shorter values are looked for only as a whole: they stand in any text. */
const MIN_PART_LENGTH = 4;
const NO_REDACTIONS: readonly Redaction[] = [];

export function createHiddenValues(values: readonly HiddenValue[]): HiddenValues {
  const byPointer = new Map(values.map((hidden) => [toPointer(hidden.path), hidden]));
  const byEntry = new Map<string, HiddenValue[]>();
  for (const hidden of values) {
    const entry = entryOf(hidden.path);
    byEntry.set(entry, [...(byEntry.get(entry) ?? []), hidden]);
  }

  function toShownText(text: string, hidden: readonly HiddenValue[]): string {
    let shown = text;
    for (const { text: instead, value } of hidden) {
      if (value === '') continue;
      // What is shown instead may itself hold the value, as a default does.
      const pieces = shown.split(instead).map((piece) => {
        const whole = piece.replaceAll(JSON.stringify(value), () => JSON.stringify(instead));
        return value.length < MIN_PART_LENGTH ? whole : hidePart(whole, value, instead);
      });
      shown = pieces.join(instead);
    }
    return shown;
  }

  return {
    shownInstead: (pointer) => byPointer.get(pointer)?.text,
    toShownProblem(problem) {
      const hidden = byEntry.get(entryOf(problem.path));
      if (hidden === undefined) return problem;
      const { message, hint } = problem;
      return {
        ...problem,
        message: toShownText(message, hidden),
        hint: hint === undefined ? undefined : toShownText(hint, hidden),
      };
    },
    redactionsOf(part, shown, source) {
      if (byEntry.size === 0) return NO_REDACTIONS;
      const hidden = byEntry.get(entryOf(source));
      if (hidden === undefined) return NO_REDACTIONS;
      const redactions: Redaction[] = [];
      visitLeaves(part, shown, (leaf, path) => {
        const origin =
          hidden.find((candidate) => candidate.value === leaf) ??
          hidden.find((candidate) => stemsFrom(leaf, candidate.value));
        if (origin !== undefined) redactions.push({ path, text: origin.text });
      });
      return redactions;
    },
  };
}

function hidePart(text: string, value: string, instead: string): string {
  return text
    .split(instead)
    .map((piece) => piece.replaceAll(value, () => instead))
    .join(instead);
}

/** Values are compared within one named object, or one part of the document. */
function entryOf(path: ConfigPath): string {
  const named = (NAMED_LISTS as readonly unknown[]).includes(path[0]);
  return toPointer(path.slice(0, named ? 2 : 1));
}

/** Whether a leaf may have been made from a text: rather once too often than once too little. */
function stemsFrom(leaf: unknown, text: string): boolean {
  if (typeof leaf === 'string') {
    const [a, b] = [leaf.toLowerCase(), text.toLowerCase()];
    if (a === b) return true;
    if (b.length >= MIN_PART_LENGTH && a.includes(b)) return true;
    return a.length >= MIN_PART_LENGTH && b.includes(a);
  }
  if (typeof leaf === 'boolean') return String(leaf) === text;
  if (typeof leaf !== 'number') return false;
  return Number(text) === leaf || text.endsWith(`:${leaf}`) || quantityOf(text) === leaf;
}

function quantityOf(text: string): number | undefined {
  for (const parse of [durationMs, byteSize]) {
    try {
      return parse(text);
    } catch {
      // Not that kind of quantity.
    }
  }
  return undefined;
}

function visitLeaves(
  value: unknown,
  path: string,
  visit: (leaf: unknown, path: string) => void,
): void {
  if (typeof value !== 'object' || value === null) {
    visit(value, path);
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visitLeaves(item, shownPath(path, i), visit);
  } else {
    for (const [key, member] of Object.entries(value)) {
      visitLeaves(member, shownPath(path, key), visit);
    }
  }
}
