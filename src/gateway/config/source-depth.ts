/** Where a text of YAML is nested too deeply for its parser, which can only say that its stack was not enough. */
import { lexemesOf } from './yaml-lexemes.ts';

/** The offset at which there are more than `maxDepth` open brackets, or about as many indents; 0 where it cannot be told. */
export function tooDeepOffset(text: string, maxDepth: number): number {
  let open = 0;
  for (const { lexeme, offset } of lexemesOf(text)) {
    if (lexeme === '[' || lexeme === '{') open++;
    else if (lexeme === ']' || lexeme === '}') open--;
    if (open > maxDepth) return offset;
  }
  // Each level of a block begins at least one column further to the right than the one around it.
  const indented = new RegExp(`^[ ?-]{${maxDepth},}`, 'm').exec(text);
  return indented === null ? 0 : indented.index + maxDepth;
}
