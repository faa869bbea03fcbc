/** What the backplane holds of a version beside its document: who wrote it, when, why. Signed. */
import type { Json, SpaceView, StoredRecord } from '../../../mesh/backplane/backplane.ts';
import { isObject } from '../../../mesh/backplane/json-object.ts';
import { ConfigKeyError, KEY_REMEDY, type ConfigKeys } from './config-keys.ts';
import type { Sealer } from './sealer.ts';
import type { VersionInfo } from './version-store.ts';

/** `head`, and `v:<version>` of each version there is. */
export const CONFIG_SPACE = 'config';
export const HEAD_ID = 'head';

export interface VersionRecord extends VersionInfo {
  /** Made with the first version, and the same in all that follow: tells one history from another. */
  readonly lineage: string;
  /** Random: tells a write that was carried out from another one of the same number. */
  readonly nonce: string;
  /** Of all but `pinned`. */
  readonly signature: string;
}

export type UnsignedRecord = Omit<VersionRecord, 'signature'>;

export function idOfVersion(version: number): string {
  return `v:${version}`;
}

export function signRecord(record: UnsignedRecord, sealer: Sealer): VersionRecord {
  return { ...record, signature: sealer.sign(signedText(record)) };
}

/** Throws a `SealError` for a record that is not what was signed. */
export function verifyRecord(record: VersionRecord, sealer: Sealer): void {
  sealer.verify(signedText(record), record.signature);
}

/** What opens the document of a version. Rejects where there is no key, or with a `SealError`. */
export async function sealerFor(record: VersionRecord, keys: ConfigKeys): Promise<Sealer> {
  const sealer = await keys.forReading();
  if (sealer === undefined) {
    throw new ConfigKeyError(`it is encrypted, and there is no key here: ${KEY_REMEDY}`);
  }
  verifyRecord(record, sealer);
  return sealer;
}

export function toRecordValue(record: VersionRecord): Json {
  const { version: _, rollbackOf, ...rest } = record;
  return { ...rest, ...(rollbackOf !== undefined && { rollbackOf }) };
}

/** Without what is kept beside it. */
export function toVersionInfo(record: VersionInfo): VersionInfo {
  const { version, author, at, message, hash, pinned, rollbackOf } = record;
  const info = { version, author, at, message, hash, pinned };
  return rollbackOf === undefined ? info : { ...info, rollbackOf };
}

/** What a view of `config` says; records that are not ours are passed over. */
export interface StoredHistory {
  readonly head: StoredHead | undefined;
  readonly versions: ReadonlyMap<number, StoredVersionRecord>;
}

export interface StoredHead {
  readonly version: number;
  readonly generation: number;
}

export interface StoredVersionRecord {
  readonly record: VersionRecord;
  readonly generation: number;
}

export function parseHistory(view: Pick<SpaceView, 'records'>): StoredHistory {
  const records = view.records('doc');
  const versions = new Map<number, StoredVersionRecord>();
  for (const [id, stored] of records) {
    const version = /^v:([1-9][0-9]{0,14})$/.exec(id)?.[1];
    if (version === undefined) continue;
    const record = parseVersionRecord(Number(version), stored.value);
    if (record !== undefined) {
      versions.set(record.version, { record, generation: stored.generation });
    }
  }
  return { head: parseHead(records.get(HEAD_ID)), versions };
}

/** Undefined for what is none. */
export function parseVersionRecord(version: number, value: unknown): VersionRecord | undefined {
  if (!isObject(value)) return undefined;
  const { author, at, message, hash, pinned, rollbackOf, lineage, nonce, signature } = value;
  if (!isText(author) || !isText(at) || !isText(message) || !isText(hash)) return undefined;
  if (!isText(lineage) || !isText(nonce) || !isText(signature) || !/^[0-9a-f]{64}$/.test(hash)) {
    return undefined;
  }
  return {
    version,
    author,
    at,
    message,
    hash,
    pinned: pinned === true,
    ...(typeof rollbackOf === 'number' && { rollbackOf }),
    lineage,
    nonce,
    signature,
  };
}

function parseHead(stored: StoredRecord | undefined): StoredHead | undefined {
  if (stored === undefined || !isObject(stored.value)) return undefined;
  const { version } = stored.value;
  if (!Number.isSafeInteger(version) || (version as number) < 1) return undefined;
  return { version: version as number, generation: stored.generation };
}

function signedText(record: UnsignedRecord): string {
  const { version, author, at, message, hash, rollbackOf = 0, lineage, nonce } = record;
  return JSON.stringify([
    'version',
    version,
    author,
    at,
    message,
    hash,
    rollbackOf,
    lineage,
    nonce,
  ]);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
