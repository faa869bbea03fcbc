/** The shared configuration's versions, as the verbs ask for them. */
import type { Static } from 'typebox';
import type { Version as VersionSchema } from '../admin/resources/answers.ts';
import type { VersionReport } from '../admin/resources/configuration-access.ts';
import type { ConfigChange } from '../gateway/config/comparison.ts';
import type { AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';

export type Version = Static<typeof VersionSchema>;

export interface VersionDetail extends Version {
  readonly previous: number | null;
  /** Null where the version before is not known to the node, and the backplane cannot be asked. */
  readonly changes: readonly ConfigChange[] | null;
  /** Null while the backplane cannot be asked. */
  readonly nodes: readonly VersionReport[] | null;
}

export interface Head {
  /** Whose services, routes, consumers, plugins and certificates are. */
  readonly owner: 'file' | 'backplane';
  /** 0: none has been written. */
  readonly version: number;
  readonly stalenessSeconds: number;
}

export const VERSIONS = 'v1/config/versions';
/** A document of ten thousand routes is checked in some seconds. */
export const DOCUMENT_TIMEOUT_MS = 60_000;

export async function readHead(client: AdminClient): Promise<Head> {
  return toHead((await client.ask('HEAD', 'v1/config')).headers);
}

export function toHead(headers: Headers): Head {
  return {
    owner: headers.get('meshgate-config-owner') === 'file' ? 'file' : 'backplane',
    version: Number(headers.get('meshgate-version') ?? 0),
    stalenessSeconds: Number(headers.get('meshgate-staleness') ?? 0),
  };
}

/** The condition that nobody else has written since. */
export function whileHead({ version }: Head): Readonly<Record<string, string>> {
  return version === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${version}"` };
}

/** `version 13 by alice at 2026-01-31T12:00:00.000Z: more room` */
export function toVersionText({ version, author, at, message }: Version): string {
  return `version ${version} by ${author} at ${at}: ${message}`;
}

/** Undefined where it is none; "12", as `meshgate history` prints it. */
export function parseVersion(text: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined;
}

/** What a document would change of a version; 0: of nothing. */
export async function compareWithVersion(
  client: AdminClient,
  document: unknown,
  version: number,
): Promise<readonly ConfigChange[]> {
  const { body } = await client.ask<{ readonly changes: readonly ConfigChange[] }>(
    'POST',
    'v1/config/diff',
    {
      query: version === 0 ? {} : { against: String(version) },
      body: document,
      timeoutMs: DOCUMENT_TIMEOUT_MS,
    },
  );
  return body.changes;
}

/** Where a file owns it, a write would be refused all the same: better before anybody is asked. */
export function assertOwnedByNodes({ owner }: Head, { address }: AdminClient): void {
  if (owner === 'backplane') return;
  throw new AdminFailure(
    `services, routes, consumers, plugins and certificates stand in the configuration file of the node at ${address}, which owns them.
Change them there; or take all five out of the file: what it had stays in force until the first apply, and
from then on all nodes share what is applied.`,
    { status: 409 },
  );
}
