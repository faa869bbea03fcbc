/** Regular expressions whose cost is linear in the text, whatever a client sends. */
import { RE2JS } from 're2js';

/** A checked and compiled expression of RE2's syntax. */
export interface LinearRegex {
  /** As it was written. */
  readonly source: string;
  /** Text that everything it meets in full begins with; often empty. */
  readonly literalPrefix: string;
  /** Whether it meets the whole text. */
  matches(text: string): boolean;
  /** Each meeting in `text` replaced; `$1` and `$<name>` in `replacement` are groups. */
  replaceAll(text: string, replacement: string): string;
}

/** Why an expression is refused. */
export class RegexRefusal {
  /** One sentence, naming the part that is wrong. */
  readonly detail: string;

  constructor(detail: string) {
    this.detail = detail;
  }
}

/** Compiles an RE2 expression; look-around and back-references are refused, having no linear form. */
export function parseLinearRegex(source: string): LinearRegex | RegexRefusal {
  try {
    return new CompiledRegex(source);
  } catch (error) {
    return new RegexRefusal(error instanceof Error ? error.message : String(error));
  }
}

/** The same for an expression that has been checked before; throws a TypeError on a refusal. */
export function createLinearRegex(source: string): LinearRegex {
  const regex = parseLinearRegex(source);
  if (regex instanceof RegexRefusal) throw new TypeError(regex.detail);
  return regex;
}

class CompiledRegex implements LinearRegex {
  readonly source: string;
  readonly literalPrefix: string;
  readonly #regex: RE2JS;
  readonly #whole: RE2JS;
  /** The expression is its literal prefix and nothing more. */
  readonly #literal: boolean;

  constructor(source: string) {
    this.source = source;
    this.#regex = RE2JS.compile(source);
    this.#whole = withoutLeadingAnchor(source, this.#regex);
    const program: { readonly prefix: unknown; readonly prefixComplete: boolean } =
      this.#whole.re2();
    this.literalPrefix = typeof program.prefix === 'string' ? program.prefix : '';
    this.#literal = this.literalPrefix !== '' && program.prefixComplete;
  }

  matches(text: string): boolean {
    if (!text.startsWith(this.literalPrefix)) return false;
    if (this.#literal) return text.length === this.literalPrefix.length;
    return this.#whole.testExact(text);
  }

  replaceAll(text: string, replacement: string): string {
    return this.#regex.matcher(text).replaceAll(replacement);
  }
}

/**
 * RE2 finds no literal prefix behind an anchor. A whole-text match is anchored anyway, so that
 * a leading `^` means nothing to it, in an alternation neither.
 */
function withoutLeadingAnchor(source: string, regex: RE2JS): RE2JS {
  if (!source.startsWith('^')) return regex;
  try {
    return RE2JS.compile(source.slice(1));
  } catch {
    // `^*` is an expression, `*` is none.
    return regex;
  }
}
