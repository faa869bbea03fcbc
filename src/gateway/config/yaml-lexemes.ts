/** The pieces of a text of YAML, of any text at all, and where they stand. */
import { Lexer } from 'yaml';

/** Lexemes that stand for nothing in the text: a document's start, a scalar's, the end of a flow. */
const CONTROL = new Set(['\u0002', '\u0018', '\u001F']);

export function* lexemesOf(
  text: string,
): Generator<{ readonly lexeme: string; readonly offset: number }, void> {
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (CONTROL.has(lexeme)) continue;
    yield { lexeme, offset };
    offset += lexeme.length;
  }
}
