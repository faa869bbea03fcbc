/** What the configuration's resources answer with beside their bodies, and how a change that was not made is told. */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { VersionInfo } from '../../gateway/config/versions/version-store.ts';
import { unheardOf, type ChangeOutcome, type Desk, type Reading } from '../configuration-desk.ts';
import { AdminError, type Fault } from '../problem.ts';
import { toStalenessSeconds } from '../views/last-known.ts';
import { preconditionFailed } from './preconditions.ts';

export const ChangeQuery = {
  message: Type.Optional(
    Type.String({ maxLength: 1_000, description: 'Why; kept with the version.' }),
  ),
};

/** Rejects with a `BackplaneError` while nothing is known. */
export async function readDesk(desk: Desk): Promise<Reading> {
  const reading = await desk.read();
  if (reading === undefined) throw unheardOf();
  return reading;
}

/** How old, whose and which. */
export function sendFacts(reply: FastifyReply, { head, owner, stalenessMs }: Reading): void {
  reply.headers({
    'meshgate-config-owner': owner,
    'meshgate-staleness': String(toStalenessSeconds(stalenessMs)),
    ...(owner === 'backplane' && { 'meshgate-version': String(head?.version ?? 0) }),
  });
}

type Accepted = Extract<ChangeOutcome, { kind: 'written' | 'unchanged' }>;

/** Of what is in force once a change has been accepted, for the audit log too. */
export function sendAccepted(reply: FastifyReply, accepted: Accepted): void {
  if (accepted.kind === 'unchanged') return sendFacts(reply, accepted.current);
  const { document, version } = accepted;
  reply.request.audited.version = version.version;
  sendFacts(reply, { owner: 'backplane', document, head: version, stalenessMs: 0 });
}

/** The version that says what was asked for. */
export function versionOf(accepted: Accepted): VersionInfo {
  return accepted.kind === 'written' ? accepted.version : accepted.current.head!;
}

/** Throws what a change that was not made is answered with. */
export function assertAccepted(
  outcome: ChangeOutcome,
  toFaults: (outcome: Extract<ChangeOutcome, { kind: 'invalid' }>) => readonly Fault[],
): Accepted {
  if (outcome.kind === 'written' || outcome.kind === 'unchanged') return outcome;
  throw toError(outcome, toFaults);
}

function toError(
  outcome: Exclude<ChangeOutcome, Accepted>,
  toFaults: (outcome: Extract<ChangeOutcome, { kind: 'invalid' }>) => readonly Fault[],
): Error {
  switch (outcome.kind) {
    case 'refused':
      return outcome.refusal;
    case 'invalid':
      return invalid(toFaults(outcome));
    case 'conflict':
      return preconditionFailed(
        `It was changed meanwhile, by version ${outcome.head?.version ?? 0}; read it again.`,
      );
    case 'owned-by-file':
      return new AdminError(
        409,
        'config_owned_by_file',
        'Services, routes, consumers, plugins and certificates stand in the configuration file of this node, which owns them: change them there. Or take all five out of the file: what it had stays in force until the first version is written, and from then on all nodes share what is.',
      );
    case 'contended':
      return new AdminError(503, 'contended', 'Too many changes at once; nothing was changed.');
    case 'behind':
      return new AdminError(
        503,
        'version_unreadable',
        `Version ${outcome.version} is the newest and cannot be read on this node yet; nothing was changed.`,
      );
    case 'unavailable':
      return outcome.error;
    default:
      return outcome satisfies never;
  }
}

export function invalid(errors: readonly Fault[]): AdminError {
  const count = errors.length === 1 ? 'One fault' : `${errors.length} faults`;
  return new AdminError(422, 'invalid', `${count}; nothing was changed.`, errors);
}

export const VersionFields = {
  version: Type.Integer({ minimum: 1 }),
  author: Type.String({ description: 'Name of the token that it was written with.' }),
  at: Type.String({ format: 'date-time' }),
  message: Type.String(),
  hash: Type.String({ description: 'SHA-256 of the document; equal ones have the same.' }),
  pinned: Type.Boolean({ description: 'Whether it is kept for as long as it is.' }),
  rollback_of: Type.Optional(
    Type.Integer({ minimum: 1, description: 'The version that this one says again.' }),
  ),
};

/** The schema of a version in a list. */
export const Version = Type.Object(VersionFields);

export function toVersion({ rollbackOf, ...info }: VersionInfo): object {
  const { version, author, at, message, hash, pinned } = info;
  const shown = { version, author, at, message, hash, pinned };
  return rollbackOf === undefined ? shown : { ...shown, rollback_of: rollbackOf };
}

/** The schema of one difference. */
export const Change = Type.Object({
  kind: Type.Enum(['added', 'removed', 'changed']),
  path: Type.String({ description: 'By name: `routes.orders.timeout`.' }),
  before: Type.Optional(Type.Unknown({ description: 'As it may be shown.' })),
  after: Type.Optional(Type.Unknown({ description: 'As it may be shown.' })),
});
