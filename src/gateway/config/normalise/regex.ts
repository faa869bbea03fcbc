/** Expressions of a configuration: only those whose cost is linear in the text. */
import { RE2JS } from 're2js';
import { parseLinearRegex, RegexRefusal } from '../../routing/linear-regex.ts';
import type { ConfigPath } from '../config-path.ts';
import type { Draft } from './draft.ts';

/** Reports an expression that is refused, naming the construct. */
export function checkRegex(draft: Draft, source: string, path: ConfigPath): boolean {
  const regex = parseLinearRegex(source);
  if (!(regex instanceof RegexRefusal)) return true;
  const construct = nonLinearConstruct(source);
  if (construct === undefined) {
    draft.report(path, `is no regular expression: ${regex.detail}`);
  } else {
    draft.report(path, `uses a ${construct}, which linear-time (RE2) expressions do not have`, {
      hint: 'match more than is wanted here, or split it into several routes',
    });
  }
  return false;
}

/** Reports groups of a replacement that the expression does not have. */
export function checkReplacement(
  draft: Draft,
  source: string,
  replacement: string,
  path: ConfigPath,
): void {
  const regex = RE2JS.compile(source);
  const names = regex.namedGroups();
  for (const [whole, number, name] of replacement.matchAll(/\$\$|\$(\d{1,2})|\$<([^>]*)>/g)) {
    const known =
      (number === undefined || Number(number) <= regex.groupCount()) &&
      (name === undefined || Object.hasOwn(names, name));
    if (known) continue;
    draft.report(path, `${whole} is no group of the expression`, {
      hint: 'write $$ for a plain dollar sign',
    });
  }
}

/** The first look-around or back-reference outside of a character class. */
function nonLinearConstruct(source: string): string | undefined {
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const rest = source.slice(i, i + 4);
    if (rest.startsWith('\\')) {
      if (!inClass && /^\\[1-9]/.test(rest)) return `back-reference ${rest.slice(0, 2)}`;
      if (!inClass && /^\\k[<'{]/.test(rest)) return 'back-reference \\k';
      i++;
    } else if (inClass) {
      inClass = !rest.startsWith(']');
    } else if (rest.startsWith('[')) {
      inClass = true;
      // A bracket that comes first in a class is a member of it.
      const first = source[i + 1] === '^' ? i + 2 : i + 1;
      if (source[first] === ']') i = first;
    } else if (/^\(\?<[=!]/.test(rest)) {
      return `look-behind ${rest}`;
    } else if (/^\(\?[=!]/.test(rest)) {
      return `look-ahead ${rest.slice(0, 3)}`;
    } else if (rest.startsWith('(?>')) {
      return 'atomic group (?>';
    }
  }
  return undefined;
}
