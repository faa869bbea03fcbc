/** Which instances: by their metadata, compiled to one test. */
import { coerce, parse, Range } from 'semver';

/**
 * A string is equality. `in` and `notIn` are sets; an instance without the attribute is in
 * none. `range` is a range of versions as npm has them (`^2.1`, `>=1.4 <3`, `1.x || 2.x`); a
 * version may be short or begin with a `v`, and pre-releases fit only a range that names one
 * of the same version. `exists` asks for the attribute alone.
 */
export type AttributeTest =
  | string
  | { readonly in: readonly string[] }
  | { readonly notIn: readonly string[] }
  | { readonly range: string }
  | { readonly exists: boolean };

/** All have to hold. */
export type AttributeQuery = Readonly<Record<string, AttributeTest>>;

export type Metadata = Readonly<Record<string, string>>;

type Fits = (value: string | undefined) => boolean;

/** Throws a TypeError for a range that is none. */
export function compileQuery(query: AttributeQuery): (metadata: Metadata) => boolean {
  const tests = Object.entries(query).map(([name, test]) => [name, toTest(test)] as const);
  return (metadata) =>
    tests.every(([name, fits]) => fits(Object.hasOwn(metadata, name) ? metadata[name] : undefined));
}

function toTest(test: AttributeTest): Fits {
  if (typeof test === 'string') return (value) => value === test;
  if ('exists' in test) return (value) => (value !== undefined) === test.exists;
  if ('range' in test) return toRangeTest(test.range);
  if ('in' in test) {
    const allowed = new Set(test.in);
    return (value) => value !== undefined && allowed.has(value);
  }
  const excluded = new Set(test.notIn);
  return (value) => value === undefined || !excluded.has(value);
}

function toRangeTest(text: string): Fits {
  let range: Range;
  try {
    range = new Range(text);
  } catch (error) {
    throw new TypeError(`not a range of versions: ${JSON.stringify(text)}`, { cause: error });
  }
  return (value) => {
    if (value === undefined) return false;
    const version = parse(value) ?? coerce(value, { includePrerelease: true });
    return version !== null && range.test(version);
  };
}
