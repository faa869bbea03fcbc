/** What was substituted in a document, and where: for whoever walks through one. */
import { toPointer, type ConfigPath } from './config-path.ts';
import type { ReportProblem } from './issue.ts';
import type { Substituter } from './substitute.ts';

/** A value that was substituted. */
export interface SubstitutedValue {
  /** The file's own text, e.g. `${JWT_SECRET}`. */
  readonly text: string;
  readonly value: string;
}

export class Substitutions {
  /** By JSON pointer. */
  readonly values = new Map<string, SubstitutedValue>();
  /** JSON pointers of texts whose substitution failed. */
  readonly unresolved = new Set<string>();
  readonly #substituter: Substituter;
  readonly #report: ReportProblem;

  constructor(substituter: Substituter, report: ReportProblem) {
    this.#substituter = substituter;
    this.#report = report;
  }

  /** Resolves all texts within a value, in place. */
  resolveWithin(collection: object, path: (string | number)[] = []): void {
    for (const key of Array.isArray(collection) ? collection.keys() : Object.keys(collection)) {
      const value = (collection as Record<string | number, unknown>)[key];
      path.push(key);
      if (typeof value === 'object' && value !== null) this.resolveWithin(value, path);
      else if (typeof value === 'string') {
        (collection as Record<string | number, unknown>)[key] = this.resolve(value, path);
      }
      path.pop();
    }
  }

  /** What a text stands for; the text itself where that cannot be had, which is reported. */
  resolve(text: string, path: ConfigPath): string {
    if (!text.includes('${')) return text;
    const found = this.#substituter.substitute(text);
    if (found.problem !== undefined) {
      this.unresolved.add(toPointer(path));
      this.#report([...path], found.problem, { hint: found.hint });
      return text;
    }
    if (found.fromOutside) this.values.set(toPointer(path), { text, value: found.value });
    return found.value;
  }
}
