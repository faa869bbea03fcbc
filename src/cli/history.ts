/** `meshgate history`: every change of the shared configuration: who made it, why, what it changed, who runs it. */
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { misuse, printJson, stalenessNote, withAdmin } from './admin-verb.ts';
import { printChanges } from './change-lines.ts';
import {
  parseVersion,
  toVersionText,
  VERSIONS,
  type Version,
  type VersionDetail,
} from './config-versions.ts';
import { createPaint } from './paint.ts';
import { toNodeText } from './rollout-wait.ts';
import { printTable, toPrintable, type Column } from './table.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const OPTIONS = { json: { type: 'boolean' } } as const satisfies VerbOptions;

const SHOWN_HASH_DIGITS = 8;

export const history: Verb = {
  name: 'history',
  summary: 'List the versions of the shared configuration, or show one.',
  usage: `meshgate history [VERSION] [--json]

  --json  Print the versions, or the one with its document, its changes and the nodes that run it

Versions that say the same have the same HASH.

${ADMIN_USAGE}
Exit code 0; 1: the admin API cannot be asked, or there is no such version; 2: misuse.

Examples:
  meshgate history
  meshgate history 12
  meshgate history --json | jq -r '.[0].author'`,
  options: OPTIONS,
  async run(argv, io) {
    const { values, positionals } = parseArguments(argv, OPTIONS);
    const [text] = positionals;
    if (positionals.length > 1) return misuse(io, 'history takes one version', history.usage);
    const version = text === undefined ? undefined : parseVersion(text);
    if (text !== undefined && version === undefined) {
      return misuse(io, `not a version: ${text}`, history.usage);
    }
    const asJson = values.json === true;
    return withAdmin('history', io, (client) =>
      version === undefined ? list(client, io, asJson) : show(client, io, version, asJson),
    );
  },
};

const COLUMNS: readonly Column<Version>[] = [
  { title: 'VERSION', of: ({ version }) => String(version), align: 'right' },
  { title: 'AT', of: ({ at }) => at },
  { title: 'BY', of: ({ author }) => author },
  { title: 'HASH', of: ({ hash }) => hash.slice(0, SHOWN_HASH_DIGITS), tone: () => 'faint' },
  { title: 'MESSAGE', of: toMessage },
];

/** What it stands for, if it does not say so itself. */
function toMessage({ message, pinned, rollback_of: of }: Version): string {
  const marks = [
    ...(pinned ? ['pinned'] : []),
    ...(of === undefined ? [] : [`says version ${of} again`]),
  ];
  const [first = ''] = message.split('\n', 1);
  return marks.length === 0 ? first : `${first} (${marks.join(', ')})`;
}

async function list(client: AdminClient, io: VerbIo, asJson: boolean): Promise<number> {
  const { items, stalenessSeconds } = await client.list<Version>(VERSIONS);
  if (asJson) printJson(io, items);
  else if (items.length === 0) io.stdout.write('no version has been written\n');
  else printTable(io, COLUMNS, items);
  const note = stalenessNote(stalenessSeconds);
  if (note !== undefined) io.stderr.write(`${note}\n`);
  return 0;
}

async function show(
  client: AdminClient,
  io: VerbIo,
  version: number,
  asJson: boolean,
): Promise<number> {
  const detail = await client.get<VersionDetail>(`${VERSIONS}/${version}`);
  if (asJson) {
    printJson(io, detail);
    return 0;
  }
  const { changes, nodes, previous, hash } = detail;
  const { stdout, env } = io;
  const paint = createPaint(stdout, env);
  stdout.write(
    `${paint('head', toPrintable(toVersionText({ ...detail, message: toMessage(detail) })))}\n`,
  );
  stdout.write(`hash ${hash}\n\n`);
  const since = previous === null ? 'with nothing before it' : `since version ${previous}`;
  if (changes === null) {
    io.stderr.write(`what changed ${since} is not known: the backplane cannot be asked\n`);
  } else {
    stdout.write(`${changes.length === 0 ? 'no changes' : 'changes'} ${since}\n`);
    printChanges(stdout, env, changes);
  }
  if (nodes === null) {
    io.stderr.write('which nodes run it is not known: the backplane cannot be asked\n');
  } else {
    stdout.write(`\n${nodes.length === 0 ? 'no node has told what it runs' : 'nodes'}\n`);
    for (const node of nodes) stdout.write(`  ${toNodeText(node, version, paint)}\n`);
  }
  return 0;
}
