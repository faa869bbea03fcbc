/** `meshgate apply`: makes the shared part of a file what all nodes run. */
import { basename } from 'node:path';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import type { AdminFault } from './admin-failure.ts';
import { withAdmin } from './admin-verb.ts';
import {
  carryOut,
  CHANGE_OPTIONS,
  CHANGE_USAGE,
  parseChange,
  type ChangeSettings,
  type Written,
} from './configuration-change.ts';
import { toCountText } from './change-lines.ts';
import {
  assertOwnedByNodes,
  compareWithVersion,
  DOCUMENT_TIMEOUT_MS,
  readHead,
  whileHead,
} from './config-versions.ts';
import { readSharedFile, type SharedFile } from './shared-file.ts';
import type { Verb, VerbIo } from './verb.ts';

export const apply: Verb = {
  name: 'apply',
  summary:
    'Make the services, routes, consumers, plugins and certificates of a file those of all nodes.',
  usage: `meshgate apply FILE [--yes] [-m TEXT] [--wait [--timeout DURATION]] [--json]

${CHANGE_USAGE}

All of the file's services, routes, consumers, plugins and certificates together are one new version,
written only if all of it can be used and nobody has written since it was compared; what else is in the
file is left to the nodes. What would change is shown, and asked about on a terminal.

${ADMIN_USAGE}
Exit code 0: done, or nothing to change; 1: not done, or with --wait not on every node; 2: misuse.

Examples:
  meshgate apply meshgate.yaml -m 'more room for orders'
  meshgate apply meshgate.yaml --yes --wait --timeout 2m
  meshgate apply meshgate.yaml --yes --json | jq .version`,
  options: CHANGE_OPTIONS,
  takes: 'file',
  async run(argv, io) {
    const change = parseChange(argv, io, { takes: 'apply takes one file', usage: apply.usage });
    if (change === 2) return change;
    const { word: file, settings } = change;
    const shared = await readSharedFile(file, io);
    if (shared === undefined) return 1;
    return withAdmin('apply', io, (client) => applyFile(client, io, { file, shared, settings }));
  },
};

async function applyFile(
  client: AdminClient,
  io: VerbIo,
  {
    file,
    shared,
    settings,
  }: { readonly file: string; readonly shared: SharedFile; readonly settings: ChangeSettings },
): Promise<number> {
  const head = await readHead(client);
  assertOwnedByNodes(head, client);
  if (!(await isUsable(client, io, shared))) return 1;
  const changes = await compareWithVersion(client, shared.document, head.version);
  const message = settings.message ?? `apply ${basename(file)}`;
  return carryOut(
    client,
    io,
    {
      verb: 'apply',
      head,
      changes,
      question: `Apply ${toCountText(changes)} to all nodes?`,
      async write() {
        const { body } = await client.ask<Written>('PUT', 'v1/config', {
          query: { message },
          headers: whileHead(head),
          body: shared.document,
          timeoutMs: DOCUMENT_TIMEOUT_MS,
        });
        return body;
      },
    },
    settings,
  );
}

/** Tells all that is wrong, at its place in the file. */
async function isUsable(client: AdminClient, io: VerbIo, shared: SharedFile): Promise<boolean> {
  const { body: verdict } = await client.ask<{
    readonly valid: boolean;
    readonly errors: readonly AdminFault[];
    readonly warnings: readonly AdminFault[];
  }>('POST', 'v1/config/validate', { body: shared.document, timeoutMs: DOCUMENT_TIMEOUT_MS });
  for (const severity of ['error', 'warning'] as const) {
    for (const fault of severity === 'error' ? verdict.errors : verdict.warnings) {
      io.stderr.write(`${shared.toFaultLine(fault, severity)}\n`);
    }
  }
  return verdict.valid;
}
