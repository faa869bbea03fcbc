/** `meshgate check`: says everything that is wrong with a configuration file. */
import { relative, resolve } from 'node:path';
import { toIssueText, type ConfigIssue } from '../gateway/config/issue.ts';
import { loadConfig } from '../gateway/config/load.ts';
import { standardPlugins } from '../plugins/standard.ts';
import { misuse, printJson } from './admin-verb.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = { json: { type: 'boolean' } } as const satisfies VerbOptions;

export const check: Verb = {
  name: 'check',
  summary: 'Check a configuration file and show every error in it.',
  usage: `meshgate check FILE [--json]

  --json  Print { ok, issues } instead of text

Exit code 0: the file can be used (there may be warnings); 1: it cannot; 2: misuse.

Example:
  meshgate check meshgate.yaml`,
  options: OPTIONS,
  takes: 'file',
  async run(argv, io) {
    const { values, positionals } = parseArguments(argv, OPTIONS);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) {
      return misuse(io, 'check takes one file', check.usage);
    }
    const result = await loadConfig(resolve(io.cwd, file), {
      catalogue: standardPlugins,
      env: io.env,
      missingHint: 'write one, or name another',
    });
    const issues = (result.ok ? result.warnings : result.issues).map((issue) => toNamed(issue, io));
    if (values.json === true) {
      printJson(io, { ok: result.ok, issues });
    } else {
      for (const issue of issues) io.stderr.write(`${toIssueText(issue)}\n`);
      if (result.ok) io.stdout.write(`${file}: ok\n`);
    }
    return result.ok ? 0 : 1;
  },
};

/** The file as the user would type it. */
function toNamed(issue: ConfigIssue, { cwd }: VerbIo): ConfigIssue {
  const path = relative(cwd, issue.file);
  return path.startsWith('..') ? issue : { ...issue, file: path };
}
