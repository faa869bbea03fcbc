/** Puts environment variables and files into the texts of a configuration. */
import { isAbsolute, resolve } from 'node:path';
import { toReadFailure } from './file-failure.ts';

export interface SubstitutionSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths of `${file:…}` are relative to it. */
  readonly directory: string;
  /** A file's text; throws where it cannot be read. */
  readonly readText: (path: string) => string;
  /** Why a reference, such as `VAR:-default` or `file:/path`, may not be used; default: all may. */
  readonly refuse?: (reference: string) => string | undefined;
}

export interface Substituted {
  readonly value: string;
  /** False where the text held nothing but escapes. */
  readonly fromOutside: boolean;
  readonly problem?: undefined;
}

export interface NotSubstituted {
  readonly problem: string;
  readonly hint: string | undefined;
}

export interface Substituter {
  substitute(text: string): Substituted | NotSubstituted;
  /** Absolute paths of the files that were asked for, found or not. */
  readonly files: ReadonlySet<string>;
}

/** Leaves texts as they are written. */
export const AS_WRITTEN: Substituter = {
  substitute: (text) => ({ value: text, fromOutside: false }),
  files: new Set(),
};

/** `$${` is an escape; else `${…}` up to the next brace. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$/s;

/**
 * Replaces `${VAR}`, `${VAR:-default}` (also where the variable is empty) and `${file:/path}`
 * (less one trailing newline); `$${` stands for a plain `${`. What is put in is not read again.
 */
export function createSubstituter(sources: SubstitutionSources): Substituter {
  const files = new Map<string, Substituted | NotSubstituted>();

  function fromFile(name: string): Substituted | NotSubstituted {
    const path = isAbsolute(name) ? name : resolve(sources.directory, name);
    let found = files.get(path);
    if (found === undefined) {
      try {
        found = { value: sources.readText(path).replace(/\r?\n$/, ''), fromOutside: true };
      } catch (error) {
        found = { problem: toReadFailure(error, path), hint: undefined };
      }
      files.set(path, found);
    }
    return found;
  }

  function resolveReference(reference: string): Substituted | NotSubstituted {
    const refusal = sources.refuse?.(reference);
    if (refusal !== undefined) return { problem: refusal, hint: undefined };
    if (reference.startsWith('file:') && reference.length > 5) return fromFile(reference.slice(5));
    const [, name, withDefault, byDefault] = VARIABLE.exec(reference) ?? [];
    if (name === undefined) {
      return {
        problem: `"\${${reference}}" is no substitution: use \${VAR}, \${VAR:-default} or \${file:/path}`,
        hint: 'write $${ for a plain ${',
      };
    }
    const value = Object.hasOwn(sources.env, name) ? sources.env[name] : undefined;
    if (withDefault !== undefined) return { value: value || (byDefault ?? ''), fromOutside: true };
    if (value !== undefined) return { value, fromOutside: true };
    return {
      problem: `the environment variable ${name} is not set`,
      hint: `set it, or give a default: \${${name}:-…}`,
    };
  }

  function substitute(text: string): Substituted | NotSubstituted {
    let problem: NotSubstituted | undefined;
    let fromOutside = false;
    const value = text.replace(REFERENCE, (whole, reference: string | undefined) => {
      if (reference === undefined) return '${';
      fromOutside = true;
      const found = whole.endsWith('}')
        ? resolveReference(reference)
        : { problem: '"${" has no closing brace', hint: 'write $${ for a plain ${' };
      if (found.problem === undefined) return found.value;
      problem ??= found;
      return '';
    });
    return problem ?? { value, fromOutside };
  }

  return {
    substitute,
    get files() {
      return new Set(files.keys());
    },
  };
}
