/** Records as Redis holds them: `<generation> <owner or -> <JSON>`. */
import type { Json, StoredRecord } from '../backplane.ts';

const NOBODY = '-';

export function toOwnerText(owner: string | undefined): string {
  return owner === undefined || owner === '' ? NOBODY : owner;
}

/** Undefined for what this program did not write. */
export function parseRecord(id: string, text: string): StoredRecord | undefined {
  const ownerAt = text.indexOf(' ') + 1;
  const valueAt = text.indexOf(' ', ownerAt) + 1;
  if (ownerAt === 0 || valueAt === 0) return undefined;
  const generation = Number(text.slice(0, ownerAt - 1));
  if (!Number.isSafeInteger(generation)) return undefined;
  const owner = text.slice(ownerAt, valueAt - 1);
  const value = parseJson(text.slice(valueAt));
  if (value === undefined) return undefined;
  return { id, generation, owner: owner === NOBODY ? '' : owner, value };
}

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
