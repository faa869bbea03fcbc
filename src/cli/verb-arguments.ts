/** What stands behind a verb: its options, and its words. */
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Throws what `parseArgs` throws of an option that the verb does not have. */
export function parseArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: Options,
) {
  return parseArgs({ args: argv, options, allowPositionals: true });
}
