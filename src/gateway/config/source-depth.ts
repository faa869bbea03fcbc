/** Where a text of YAML is nested too deeply for its parser, which can only say that its stack was not enough. */
import { Lexer } from 'yaml';

/** Lexemes that stand for nothing in the text: a document's start, a scalar's, the end of a flow. */
const CONTROL = new Set(['\u0002', '\u0018', '\u001F']);

/** The offset at which there are more than `maxDepth` open brackets, or about as many indents; 0 where it cannot be told. */
export function tooDeepOffset(text: string, maxDepth: number): number {
  let offset = 0;
  let open = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (CONTROL.has(lexeme)) continue;
    if (lexeme === '[' || lexeme === '{') open++;
    else if (lexeme === ']' || lexeme === '}') open--;
    if (open > maxDepth) return offset;
    offset += lexeme.length;
  }
  // Each level of a block begins at least one column further to the right than the one around it.
  const indented = new RegExp(`^[ ?-]{${maxDepth},}`, 'm').exec(text);
  return indented === null ? 0 : indented.index + maxDepth;
}
