/** `meshgate rollback`: makes an earlier version of the shared configuration the newest one. */
import type { ConfigChange } from '../gateway/config/comparison.ts';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { misuse, withAdmin } from './admin-verb.ts';
import { toCountText, toInverse } from './change-lines.ts';
import {
  assertOwnedByNodes,
  compareWithVersion,
  DOCUMENT_TIMEOUT_MS,
  parseVersion,
  toHead,
  whileHead,
  type Head,
} from './config-versions.ts';
import {
  carryOut,
  CHANGE_OPTIONS,
  CHANGE_USAGE,
  parseChange,
  type ChangeSettings,
  type Written,
} from './configuration-change.ts';
import type { Verb, VerbIo } from './verb.ts';

export const rollback: Verb = {
  name: 'rollback',
  summary: 'Make an earlier version of the shared configuration the newest one.',
  usage: `meshgate rollback VERSION [--yes] [-m TEXT] [--wait [--timeout DURATION]] [--json]

${CHANGE_USAGE}

It is a new version that says what that one said: nothing of the history is lost, and it can be
rolled back in its turn. What would change is shown, and asked about on a terminal.

${ADMIN_USAGE}
Exit code 0: done, or nothing to change; 1: not done, or with --wait not on every node; 2: misuse.

Examples:
  meshgate history
  meshgate rollback 12
  meshgate rollback 12 --yes --wait -m 'orders answers 500'`,
  options: CHANGE_OPTIONS,
  async run(argv, io) {
    const { usage } = rollback;
    const change = parseChange(argv, io, { takes: 'rollback takes one version', usage });
    if (change === 2) return change;
    const { word, settings } = change;
    const version = parseVersion(word);
    if (version === undefined) return misuse(io, `not a version: ${word}`, usage);
    return withAdmin('rollback', io, (client) => rollBackTo(client, io, version, settings));
  },
};

async function rollBackTo(
  client: AdminClient,
  io: VerbIo,
  version: number,
  settings: ChangeSettings,
): Promise<number> {
  const { head, changes } = await compareWith(client, version);
  const { message } = settings;
  return carryOut(
    client,
    io,
    {
      verb: 'rollback',
      head,
      changes,
      question: `Roll all nodes back to version ${version}, with ${toCountText(changes)}?`,
      async write() {
        const { body } = await client.ask<Written>('POST', 'v1/config/rollback', {
          headers: whileHead(head),
          body: { version, ...(message !== undefined && { message }) },
          timeoutMs: DOCUMENT_TIMEOUT_MS,
        });
        return body;
      },
    },
    settings,
  );
}

/**
 * The other way round, and turned about: secrets are hidden in what the API shows, and it puts
 * back those of the newest version alone.
 */
async function compareWith(
  client: AdminClient,
  version: number,
): Promise<{ readonly head: Head; readonly changes: readonly ConfigChange[] }> {
  const newest = await client.ask<unknown>('GET', 'v1/config', { timeoutMs: DOCUMENT_TIMEOUT_MS });
  const head = toHead(newest.headers);
  assertOwnedByNodes(head, client);
  const back = await compareWithVersion(client, newest.body, version);
  return { head, changes: toInverse(back) };
}
