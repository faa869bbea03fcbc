/** Reads JSON by the engine's own parser, where that comes to the same as reading it as the YAML that it is too. */
import type { ReportProblem } from './issue.ts';
import type { Substituter } from './substitute.ts';
import { Substitutions } from './substitutions.ts';

export interface JsonReading {
  /** Objects have no prototype. */
  readonly value: unknown;
  readonly substitutions: Substitutions;
}

/** Between values JSON has no more than these in common with YAML; within texts it has none of the two. */
const NOT_ALIKE = /[\t\r]/;
const TEXTS = /"[^"\\]*(?:\\.[^"\\]*)*"/g;

/**
 * Undefined where the text is no object of JSON, or where the two ways may differ: keys that stand
 * twice, of which the engine takes the last without a word, and what is nested too deeply.
 */
export function readJsonDocument(
  text: string,
  maxDepth: number,
  substituter: Substituter,
  report: ReportProblem,
): JsonReading | undefined {
  if (!/^\s*\{/.test(text) || NOT_ALIKE.test(text)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const copier = new Copier(maxDepth);
  const value = copier.copy(parsed, 0);
  if (copier.isTooDeep || copier.keys !== countKeys(text)) return undefined;
  // Not before it is certain that this way is taken: what is wrong is reported.
  const substitutions = new Substitutions(substituter, report);
  substitutions.resolveWithin(value as object);
  return { value, substitutions };
}

/** Outside of texts each colon follows a key. */
function countKeys(json: string): number {
  const rest = json.replace(TEXTS, '');
  let keys = 0;
  for (let at = rest.indexOf(':'); at !== -1; at = rest.indexOf(':', at + 1)) keys++;
  return keys;
}

class Copier {
  isTooDeep = false;
  keys = 0;
  readonly #maxDepth: number;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  copy(value: unknown, depth: number): unknown {
    if (depth > this.#maxDepth) {
      this.isTooDeep = true;
      return undefined;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.copy(item, depth + 1));
    // oxlint-disable-next-line unicorn/no-null -- no prototype: `__proto__` is a key like any other
    const result = Object.create(null) as Record<string, unknown>;
    for (const [key, member] of Object.entries(value)) {
      this.keys++;
      result[key] = this.copy(member, depth + 1);
    }
    return result;
  }
}
