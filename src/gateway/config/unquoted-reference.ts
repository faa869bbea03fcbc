/** Where a text of YAML has `${…}` without quotes inside of a flow, in which the brace begins a mapping. */
import { lexemesOf } from './yaml-lexemes.ts';

/** What the parser says of one is a dozen tokens that it did not expect, some of them far behind it. */
export interface UnquotedReference {
  readonly offset: number;
  readonly message: string;
}

/** The name alone: a default may be a secret. */
const REFERENCE = /\$\{(?:(file:[^\s{}]+)|([A-Za-z_][A-Za-z0-9_]*)(:-)?)?/y;

/** In the order of the text; none inside of quotes, comments or blocks, where it is what it should be. */
export function unquotedReferencesOf(text: string): readonly UnquotedReference[] {
  const found: UnquotedReference[] = [];
  let followsDollar = false;
  for (const { lexeme, offset } of lexemesOf(text)) {
    if (lexeme === '{' && followsDollar) {
      const dollar = offset - 1;
      found.push({ offset: dollar, message: toMessage(text, dollar) });
    }
    followsDollar = isPlain(lexeme) && lexeme.endsWith('$');
  }
  return found;
}

function toMessage(text: string, offset: number): string {
  REFERENCE.lastIndex = offset;
  const [, file, name, hasDefault] = REFERENCE.exec(text) ?? [];
  const reference = `\${${file ?? `${name ?? 'VAR'}${hasDefault === undefined ? '' : ':-…'}`}}`;
  return `the text around ${reference} has to be in quotes here, as in "${reference}": between braces or brackets YAML takes its { for a mapping`;
}

function isPlain(lexeme: string): boolean {
  return !/^["'#&!*]/.test(lexeme);
}
