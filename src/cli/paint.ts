/** Colours on a terminal, and where FORCE_COLOR asks for them; none where NO_COLOR does. */
import { styleText } from 'node:util';
import type { Output } from './verb.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'faint' | 'head';

/** Gives the text back as it is where there are no colours. */
export type Paint = (tone: Tone | undefined, text: string) => string;

const STYLES = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  faint: 'gray',
  head: 'bold',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

type Environment = Readonly<Record<string, string | undefined>>;

export function createPaint(output: Output, env: Environment): Paint {
  if (!hasColours(output, env)) return (_, text) => text;
  return (tone, text) =>
    // Looked at above, in the environment that the verb was given.
    tone === undefined || text === ''
      ? text
      : styleText(STYLES[tone], text, { validateStream: false });
}

/** As https://force-color.org and https://no-color.org have it, the former first as in Node.js. */
function hasColours({ isTTY = false }: Output, env: Environment): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, NODE_DISABLE_COLORS: disabled, TERM: term } = env;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((none ?? '') !== '' || (disabled ?? '') !== '') return false;
  return isTTY && term !== 'dumb';
}
