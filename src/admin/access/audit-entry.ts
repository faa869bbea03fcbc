/** One line of the audit log: who asked for what, and what came of it. */
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/value';
import { Nullable } from '../listing.ts';
import { ROLES, type Principal, type Role } from './principal.ts';

export const AuditEntry = Type.Object(
  {
    id: Type.String({ description: 'Larger is later.' }),
    at: Type.String({ description: 'RFC 3339, by the clock of the node.' }),
    author: Nullable(
      Type.String({ description: 'Name of the token; null: there was no good one.' }),
    ),
    token_id: Nullable(
      Type.String({ description: '`local`: the token in the data directory of the node.' }),
    ),
    role: Type.Unsafe<Role | null>({ type: ['string', 'null'], enum: [...ROLES, null] }),
    source: Type.String({ description: 'Address of the caller.' }),
    node: Nullable(Type.String({ description: 'The node that was asked.' })),
    method: Type.String(),
    path: Type.String({ description: 'Without the query.' }),
    outcome: Type.Enum(['done', 'refused', 'failed', 'unfinished'], {
      description:
        '`failed`: not done, or not known to be, for a fault on the side of the mesh. `unfinished`: the caller went away first; what came of it is a later entry with the same `request_id`, if it ended.',
    }),
    status: Nullable(Type.Integer({ description: 'Of the answer; null where there was none.' })),
    code: Nullable(Type.String({ description: "The refusal's." })),
    version: Nullable(Type.Integer({ description: 'Of the configuration, where it made one.' })),
    location: Nullable(Type.String({ description: 'What was made.' })),
    request_id: Type.String(),
  },
  { description: 'A write, or a refusal.' },
);

export type AuditEntry = Static<typeof AuditEntry>;

/** What is recorded of a request. */
export interface AuditEvent {
  /** Undefined: there was no good token. */
  readonly principal: Principal | undefined;
  readonly source: string;
  readonly method: string;
  readonly path: string;
  readonly outcome: AuditEntry['outcome'];
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly version?: number | undefined;
  readonly location?: string | undefined;
  readonly requestId: string;
}

const MAX_PATH_CHARACTERS = 1_024;

/**
 * Sorts by time and then by the order in the process; its end says whether it may have changed
 * anything, which is what is kept longest.
 */
const ID = /^[0-9]{13}-[0-9a-f]{6}-[0-9a-f]{8}-[wr]$/;

export interface IdParts {
  readonly atMs: number;
  readonly sequence: number;
  /** Eight hexadecimal digits of this process. */
  readonly nonce: string;
}

export function toAuditEntry(
  event: AuditEvent,
  { atMs, sequence, nonce }: IdParts,
  node: string | undefined,
): AuditEntry {
  const { principal, outcome } = event;
  const time = String(Math.floor(atMs)).padStart(13, '0');
  const order = (sequence % 0x1_00_00_00).toString(16).padStart(6, '0');
  return {
    id: `${time}-${order}-${nonce}-${outcome === 'refused' ? 'r' : 'w'}`,
    at: new Date(atMs).toISOString(),
    author: principal?.name ?? null,
    token_id: principal?.tokenId ?? null,
    role: principal?.role ?? null,
    source: event.source,
    node: node ?? null,
    method: event.method,
    path: event.path.slice(0, MAX_PATH_CHARACTERS),
    outcome,
    status: event.status ?? null,
    code: event.code ?? null,
    version: event.version ?? null,
    location: event.location ?? null,
    request_id: event.requestId,
  };
}

/** Undefined for what this version does not understand. */
export function parseAuditEntry(id: string, value: unknown): AuditEntry | undefined {
  return ID.test(id) && Check(AuditEntry, value) ? value : undefined;
}

/** Milliseconds since 1970; NaN for an id that is none. */
export function timeOf(id: string): number {
  return ID.test(id) ? Number(id.slice(0, 13)) : NaN;
}

export function isRefusal(id: string): boolean {
  return id.endsWith('r');
}
