/** Options from unknown to typed, field by field: whatever is wrong is said with the name of the field. */
import { invalidOption } from './client-error.ts';

interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Default: any number. */
  readonly whole?: boolean;
}

/** `setTimeout` counts in 32 bits: 24.8 days. */
const MAX_MS = 2 ** 31 - 1;

/** An object among the options, with the fields that it may have. */
export class OptionFields {
  /** Such as `services.orders`; empty for the options as a whole. */
  readonly path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /** Throws where it is no plain object, or has a field that is not `known`. */
  constructor(value: unknown, path: string, known: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalidOption(path === '' ? 'the options' : path, 'must be an object');
    }
    this.path = path;
    this.#values = value as Readonly<Record<string, unknown>>;
    for (const [name, content] of Object.entries(value)) {
      if (content === undefined || known.includes(name)) continue;
      throw invalidOption(this.pathOf(name), `is not known; there are ${known.join(', ')}`);
    }
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** Undefined where it is not given. */
  get(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  fail(name: string, problem: string): never {
    throw invalidOption(this.pathOf(name), problem);
  }

  text(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '') this.fail(name, 'must be a text');
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'boolean') this.fail(name, 'must be true or false');
    return value;
  }

  number(name: string, range: NumberRange): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const { min, max, whole = false } = range;
    const fits = typeof value === 'number' && value >= min && value <= max;
    if (!fits || (whole && !Number.isInteger(value))) {
      this.fail(name, `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    }
    return value;
  }

  /** A length of time. */
  milliseconds(name: string, min: 0 | 1): number | undefined {
    return this.number(name, { min, max: MAX_MS });
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const choice = choices.find((one) => one === value);
    return choice ?? this.fail(name, `must be one of ${choices.join(', ')}`);
  }

  fields(name: string, known: readonly string[]): OptionFields | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : new OptionFields(value, this.pathOf(name), known);
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length === 0) {
      this.fail(name, 'must be a list with something in it');
    }
    return value;
  }

  /** Of any names; undefined values are left out. */
  entries(name: string): readonly (readonly [string, unknown])[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.fail(name, 'must be an object');
    }
    return Object.entries(value).filter(([, content]) => content !== undefined);
  }
}
