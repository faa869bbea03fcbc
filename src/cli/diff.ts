/** `meshgate diff`: says what a configuration file would change. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { diffConfigs, toChangeText } from '../gateway/config/diff.ts';
import { toIssueText } from '../gateway/config/issue.ts';
import { readLastGood } from '../gateway/config/last-good.ts';
import { loadConfig, type Loaded } from '../gateway/config/load.ts';
import { readLastKnownPart } from '../gateway/config/versions/last-known-part.ts';
import { reasonOf } from '../mesh/backplane/backplane-error.ts';
import type { Config } from '../gateway/config/config.ts';
import { standardPlugins } from '../plugins/standard.ts';
import type { Verb, VerbIo } from './verb.ts';

export const diff: Verb = {
  name: 'diff',
  summary: 'Show what a configuration file would change.',
  usage: `meshgate diff FILE [--against FILE] [--json]

Compares with what the node that shares the file's dataDir applied last.

  --against FILE  Compare with this file instead
  --json          Print the changes as a list of { kind, path, before, after }

Exit code 0: nothing would change; 1: something would; 2: misuse, or a file cannot be used.

Example:
  meshgate diff meshgate.yaml`,
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: argv,
      options: { json: { type: 'boolean' }, against: { type: 'string' } },
      allowPositionals: true,
    });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) {
      io.stderr.write(`diff takes one file\n\n${diff.usage}\n`);
      return 2;
    }
    const after = await load(file, io);
    if (after === undefined) return 2;
    const before = await loadBase(values.against, after, io);
    if (before === undefined) return 2;
    const changes = diffConfigs(before, after.config);
    if (values.json === true) {
      io.stdout.write(`${JSON.stringify(changes, undefined, 2)}\n`);
    } else {
      for (const change of changes) io.stdout.write(`${toChangeText(change)}\n`);
    }
    return changes.length === 0 ? 0 : 1;
  },
};

async function loadBase(
  against: string | undefined,
  { config }: Loaded,
  io: VerbIo,
): Promise<Config | undefined> {
  if (against !== undefined) return (await load(against, io))?.config;
  const { dataDir } = config;
  try {
    const lastGood = await readLastGood(dataDir);
    if (lastGood !== undefined) return lastGood.config;
    io.stderr.write(`no node has applied a configuration in ${dataDir}; name one by --against\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    io.stderr.write(`cannot read what was applied last in ${dataDir}: ${reason}\n`);
  }
  return undefined;
}

async function load(file: string, io: VerbIo): Promise<Loaded | undefined> {
  const path = resolve(io.cwd, file);
  const options = { catalogue: standardPlugins, env: io.env };
  let result = await loadConfig(path, options);
  if (result.ok && result.owner === 'backplane') {
    // What the file leaves to the backplane is what it is, before and after.
    const place = { config: result.config, configFile: path, env: io.env };
    try {
      const shared = await readLastKnownPart(place);
      if (shared !== undefined) result = await loadConfig(path, { ...options, shared });
    } catch (error) {
      io.stderr.write(`the version that ran here last cannot be read: ${reasonOf(error)}\n`);
      return undefined;
    }
  }
  if (result.ok) return result;
  for (const issue of result.issues) io.stderr.write(`${toIssueText(issue)}\n`);
  return undefined;
}
