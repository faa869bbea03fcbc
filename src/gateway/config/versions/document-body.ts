/** The document of a version in the backplane: in slices, each compressed and sealed, in a space named after its content. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Backplane, Mutation, StoredRecord } from '../../../mesh/backplane/backplane.ts';
import { isObject } from '../../../mesh/backplane/json-object.ts';
import type { Sealer } from './sealer.ts';

/** The same text makes the same slices, so that of two who write it at once either one's will do. */
const SLICE_BYTES = 180 * 1024;
/** Of sealed text in one change: it holds up the store for a few milliseconds. */
const CHANGE_CHARACTERS = 1024 * 1024;
const CHANGES_AT_ONCE = 4;
/** Whoever has the text may write it: the same owner each time. */
const OWNER = 'config';
/** A document that no version names is removed that long after it was written last. */
const BODY_LEASE_MS = 60_000;
/** Of the canonical JSON. */
const MAX_DOCUMENT_BYTES = 48 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

function sliceCount(json: string): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(json) / SLICE_BYTES));
}

/** The slices of a text, sealed, in their order. */
export type SealedBody = readonly string[];

export function spaceOfBody(hash: string): string {
  return `config-body:${hash}`;
}

export async function sealBody(json: string, hash: string, sealer: Sealer): Promise<SealedBody> {
  const bytes = Buffer.from(json);
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new RangeError(`a configuration has at most ${MAX_DOCUMENT_BYTES} bytes`);
  }
  const count = sliceCount(json);
  const slices: string[] = [];
  for (let index = 0; index < count; index++) {
    const slice = bytes.subarray(index * SLICE_BYTES, (index + 1) * SLICE_BYTES);
    slices.push(sealer.seal(await compress(slice), aboutSlice(hash, index, count)));
    await nextTurn();
  }
  return slices;
}

/** Rejects with a `SealError`, or where what was sealed is not the text of that hash. */
export async function openBody(body: SealedBody, hash: string, sealer: Sealer): Promise<string> {
  const digest = createHash('sha256');
  const pieces: Buffer[] = [];
  for (const [index, sealed] of body.entries()) {
    const slice = sealer.open(sealed, aboutSlice(hash, index, body.length));
    const piece = await decompress(slice, { maxOutputLength: SLICE_BYTES });
    digest.update(piece);
    pieces.push(piece);
    await nextTurn();
  }
  if (digest.digest('hex') !== hash) throw new Error('it is not what its hash says');
  return Buffer.concat(pieces).toString('utf8');
}

/** Also extends the lease of one that is there already. */
export async function writeBody(
  backplane: Backplane,
  hash: string,
  body: SealedBody,
): Promise<void> {
  const space = spaceOfBody(hash);
  const changes = toChanges(body);
  // The first alone: where the store refuses, it refuses once.
  for (let start = 0, size = 1; start < changes.length; start += size, size = CHANGES_AT_ONCE) {
    const batch = changes.slice(start, start + size);
    await Promise.all(batch.map((mutations) => backplane.change(space, mutations)));
  }
}

/** Undefined where it is not there, or not all of it. */
export async function readBody(
  backplane: Backplane,
  hash: string,
): Promise<SealedBody | undefined> {
  const records = (await backplane.read(spaceOfBody(hash))).records('doc');
  const count = toSlice(records.get('0'))?.count;
  if (count === undefined) return undefined;
  const body: string[] = [];
  for (let index = 0; index < count; index++) {
    const slice = toSlice(records.get(String(index)));
    if (slice === undefined) return undefined;
    body.push(slice.sealed);
  }
  return body;
}

/** False where something of it is missing. */
export async function renewBody(
  backplane: Backplane,
  hash: string,
  json: string,
): Promise<boolean> {
  const lease = { owner: OWNER, leaseMs: BODY_LEASE_MS };
  const ids = Array.from({ length: sliceCount(json) }, (_, index) => String(index));
  const space = spaceOfBody(hash);
  const renewals = await Promise.all(ids.map((id) => backplane.renew(space, 'doc', id, lease)));
  return renewals.every((renewal) => renewal === 'renewed');
}

/** Takes it away where its lease has run out; true where nothing of it is left. */
export async function expireBody(backplane: Backplane, hash: string): Promise<boolean> {
  const space = spaceOfBody(hash);
  await backplane.expire(space, 'doc', { maxShare: 1, restMs: 0, forget: true });
  return (await backplane.read(space)).records('doc').size === 0;
}

function toChanges(body: SealedBody): Mutation[][] {
  const changes: Mutation[][] = [];
  let characters = Infinity;
  for (const [index, sealed] of body.entries()) {
    if (characters + sealed.length > CHANGE_CHARACTERS) {
      changes.push([]);
      characters = 0;
    }
    characters += sealed.length;
    const value = { count: body.length, sealed };
    const slice = { kind: 'doc', id: String(index), value, owner: OWNER } as const;
    changes.at(-1)!.push({ type: 'put', ...slice, leaseMs: BODY_LEASE_MS });
  }
  return changes;
}

function toSlice(
  stored: StoredRecord | undefined,
): { readonly count: number; readonly sealed: string } | undefined {
  if (stored === undefined || !isObject(stored.value)) return undefined;
  const { count, sealed } = stored.value;
  if (!Number.isSafeInteger(count) || (count as number) < 1 || typeof sealed !== 'string') {
    return undefined;
  }
  return { count: count as number, sealed };
}

/** A slice can be opened in its own place alone. */
function aboutSlice(hash: string, index: number, count: number): string {
  return `body ${hash} ${index}/${count}`;
}
