/** argv → one verb; misuse is explained and ends with 2. */
import { nearestNameHint } from '../gateway/config/nearest-name.ts';
import type { Verb, VerbIo } from './verb.ts';

/** Resolves to the exit code. */
export async function runCli(
  argv: readonly string[],
  verbs: readonly Verb[],
  version: string,
  io: VerbIo,
): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(toHelp(verbs));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${version}\n`);
    return 0;
  }
  const verb = verbs.find((one) => one.name === name);
  if (verb === undefined) {
    const hint = nearestNameHint(
      name,
      verbs.map((one) => one.name),
    );
    const meant = hint === undefined ? '' : `; ${hint}`;
    io.stderr.write(`meshgate: there is no verb "${name}"${meant}\n\n${toHelp(verbs)}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.stdout.write(`${verb.summary}\n\n${verb.usage}\n`);
    return 0;
  }
  try {
    return await verb.run(rest, io);
  } catch (error) {
    if (!isMisuse(error)) throw error;
    io.stderr.write(`meshgate ${name}: ${toMisuseText(error, verb, rest)}\n\n${verb.usage}\n`);
    return 2;
  }
}

/** What `parseArgs` throws for options that the verb does not know. */
function isMisuse(error: unknown): error is Error {
  return (
    error instanceof Error &&
    String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
  );
}

/** Of an option that it does not know, node's own words are about how to pass a word that begins so. */
function toMisuseText(error: Error, { options, actions }: Verb, [action = '']: string[]): string {
  const option = /^Unknown option '(--?[^']+)'/.exec(error.message)?.[1];
  if (option === undefined) return error.message;
  const known = { ...options, ...actions?.[action] };
  const names = Object.keys(known).map((one) => `--${one}`);
  const hint = nearestNameHint(option, names);
  return `there is no option ${option}${hint === undefined ? '' : `; ${hint}`}`;
}

function toHelp(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map(({ name }) => name.length));
  const lines = verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `meshgate <verb> [options]

${lines.join('\n')}

meshgate <verb> --help tells more.
`;
}
