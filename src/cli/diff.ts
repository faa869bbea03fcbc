/** `meshgate diff`: says what a configuration file would change. */
import { resolve } from 'node:path';
import type { ConfigChange } from '../gateway/config/comparison.ts';
import { diffConfigs } from '../gateway/config/diff.ts';
import { toIssueText } from '../gateway/config/issue.ts';
import { readLastGood } from '../gateway/config/last-good.ts';
import { loadConfig, type Loaded } from '../gateway/config/load.ts';
import { readLastKnownPart } from '../gateway/config/versions/last-known-part.ts';
import { reasonOf } from '../mesh/backplane/backplane-error.ts';
import type { Config } from '../gateway/config/config.ts';
import { standardPlugins } from '../plugins/standard.ts';
import { ADMIN_USAGE } from './admin-client.ts';
import { misuse, printJson, stalenessNote, withAdmin } from './admin-verb.ts';
import { printChanges } from './change-lines.ts';
import { compareWithVersion, readHead } from './config-versions.ts';
import { readSharedFile } from './shared-file.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = {
  against: { type: 'string', values: 'file' },
  live: { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies VerbOptions;

export const diff: Verb = {
  name: 'diff',
  summary: 'Show what a configuration file would change.',
  usage: `meshgate diff FILE [--against FILE | --live] [--json]

Compares with what the node that shares the file's dataDir applied last.

  --against FILE  Compare with this file instead
  --live          Compare its services, routes, consumers, plugins and certificates with what all nodes
                  share, by the admin API: what "meshgate apply FILE" would change
  --json          Print the changes as a list of { kind, path, before, after }

${ADMIN_USAGE}
Exit code 0: nothing would change; 1: something would; 2: misuse, a file cannot be used, or the admin
API cannot be asked.

Examples:
  meshgate diff meshgate.yaml
  meshgate diff meshgate.yaml --live`,
  options: OPTIONS,
  takes: 'file',
  async run(argv, io) {
    const { values, positionals } = parseArguments(argv, OPTIONS);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) {
      return misuse(io, 'diff takes one file', diff.usage);
    }
    const { against, live = false, json = false } = values;
    if (live) {
      if (against !== undefined) return misuse(io, '--live is in place of --against', diff.usage);
      return diffLive(file, io, json);
    }
    const after = await load(file, io);
    if (after === undefined) return 2;
    const before = await loadBase(against, after, io);
    if (before === undefined) return 2;
    return tell(diffConfigs(before, after.config), io, json);
  },
};

function tell(changes: readonly ConfigChange[], io: VerbIo, asJson: boolean): 0 | 1 {
  if (asJson) printJson(io, changes);
  else printChanges(io.stdout, io.env, changes);
  return changes.length === 0 ? 0 : 1;
}

/** With exit code 2 for whatever goes wrong: 1 says that something would change. */
async function diffLive(file: string, io: VerbIo, asJson: boolean): Promise<number> {
  const shared = await readSharedFile(file, io);
  if (shared === undefined) return 2;
  return withAdmin(
    'diff',
    io,
    async (client) => {
      const head = await readHead(client);
      const changes = await compareWithVersion(client, shared.document, head.version);
      const note = stalenessNote(head.stalenessSeconds);
      if (note !== undefined) io.stderr.write(`${note}\n`);
      return tell(changes, io, asJson);
    },
    2,
  );
}

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
    io.stderr.write(`cannot read what was applied last in ${dataDir}: ${reasonOf(error)}\n`);
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
