/** Words the faults that the schema finds: what is wrong, what is allowed, what to do. */
import { parsePointer, valueAt, type ConfigPath } from './config-path.ts';
import type { Problem } from './issue.ts';
import { nearestNameHint } from './nearest-name.ts';
import { typeOf } from './schema-branch.ts';
import type { PlacedFault, SchemaFault } from './schema-validator.ts';

type UnknownKeyFault = Extract<SchemaFault, { readonly kind: 'unknown-key' }>;
type TypeFault = Extract<SchemaFault, { readonly kind: 'type' }>;

/** What may be shown in place of a value, by JSON pointer; undefined: the value itself. */
export type ShownInstead = (pointer: string) => string | undefined;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'a mapping',
};

const MAX_LISTED = 30;
const MAX_SHOWN = 80;

export function toProblem(
  { pointer, fault }: PlacedFault,
  root: unknown,
  shownInstead: ShownInstead,
): Problem {
  const path = parsePointer(pointer, root);
  const value = valueAt(root, path);
  const shown = shownInstead(pointer) ?? showValue(value);
  const problem = (message: string, hint?: string): Problem => ({
    severity: 'error',
    path,
    at: 'value',
    message,
    hint,
  });
  switch (fault.kind) {
    case 'unknown-key':
      return unknownKey(path, fault);
    case 'missing':
      return problem(
        `${JSON.stringify(fault.key)} is missing`,
        path.length === 0 && fault.key === 'meshgate' ? 'add "meshgate: 1"' : fault.description,
      );
    case 'type':
      return problem(
        `expected ${toAlternatives(fault.expected.map((type) => TYPE_NAMES[type] ?? type))}, got ${shown}`,
        shownInstead(pointer) === undefined ? typeHint(value, fault, path) : undefined,
      );
    case 'not-allowed':
      return problem(
        `${shown} is not allowed here; allowed: ${toList(fault.allowed.map(showValue))}`,
        typeof value === 'string'
          ? nearestNameHint(
              value,
              fault.allowed.filter((allowed) => typeof allowed === 'string'),
            )
          : undefined,
      );
    case 'pattern':
      return fault.examples.length === 0
        ? problem(`${shown} does not match ${fault.pattern}`)
        : problem(
            `${shown} is not valid here`,
            (shownInstead(pointer) === undefined ? slashHint(value, fault.pattern) : undefined) ??
              `write it like ${toAlternatives(fault.examples.map(String))}`,
          );
    default:
      return problem(
        typeof value === 'object' ? fault.text : `${fault.text}, got ${shown}`,
        isPluginItem(path) && Object.keys(value as object).length > 1
          ? 'one plugin an item: begin each with "- "'
          : undefined,
      );
  }
}

function unknownKey(path: ConfigPath, { key, allowed, missing }: UnknownKeyFault): Problem {
  const hint = nearestNameHint(key, allowed);
  const listed = allowed.length === 0 ? 'no key is allowed here' : `allowed: ${toList(allowed)}`;
  return {
    severity: 'error',
    path: [...path, key],
    at: 'key',
    message: `unknown key ${JSON.stringify(key)}; ${listed}`,
    hint: missing === undefined ? hint : `${hint} it is needed, and missing`,
  };
}

/** How a value is named in a message: scalars as they are, others by their kind. */
function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object') return TYPE_NAMES[typeOf(value)]!;
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** An item of a list of plugins. */
function isPluginItem(path: ConfigPath): boolean {
  return path.at(-2) === 'plugins' && typeof path.at(-1) === 'number';
}

function typeHint(
  value: unknown,
  { expected, pattern, examples }: TypeFault,
  path: ConfigPath,
): string | undefined {
  if (typeof value === 'number' && pattern !== undefined && !new RegExp(pattern).test(`${value}`)) {
    // A number that lacks its unit.
    const inSeconds = `${value}s`;
    if (new RegExp(pattern).test(inSeconds)) return `write it like ${inSeconds}`;
    return examples && `write it like ${toAlternatives(examples.map(String))}`;
  }
  if (isPluginItem(path) && typeof value === 'string') return `write { ${value}: {} }`;
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  if (scalar && expected.includes('string')) return 'put it in quotes';
  if (typeof value === 'string' && value !== '' && !expected.includes('string')) {
    const wantsNumber = expected.includes('number') || expected.includes('integer');
    if (wantsNumber && Number.isFinite(Number(value))) return 'take the quotes away';
  }
  if (value === null && expected.includes('object')) return 'write {} for one without settings';
  return undefined;
}

/** A path that only lacks its first slash, or the one before its star. */
function slashHint(value: unknown, pattern: string): string | undefined {
  if (!pattern.startsWith('^/') || typeof value !== 'string' || value === '') return undefined;
  const path = `/${value}`.replace(/([^/*])\*$/, '$1/*');
  return new RegExp(pattern).test(path) && !value.startsWith('/')
    ? `did you mean ${JSON.stringify(path)}?`
    : undefined;
}

function toAlternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function toList(names: readonly string[]): string {
  if (names.length <= MAX_LISTED) return names.join(', ');
  return `${names.slice(0, MAX_LISTED).join(', ')}, …`;
}
