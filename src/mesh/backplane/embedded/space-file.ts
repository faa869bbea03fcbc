/** A space on the disk: one durable file each, named after it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeldRecord } from '../apply-mutations.ts';
import type { RecordKind } from '../backplane.ts';
import { isRecordKind } from '../delta.ts';
import { readDurable, removeDurable, writeDurable } from '../durable-file.ts';

export interface SavedSpace {
  readonly epoch: string;
  readonly revision: number;
  readonly records: readonly (readonly [RecordKind, HeldRecord])[];
}

export interface LoadedSpace {
  readonly space: string;
  /** Undefined where no generation could be read. */
  readonly saved: SavedSpace | undefined;
  /** Damaged files that were put aside: writes may be lost. */
  readonly damaged: readonly string[];
}

const SUFFIX = '.json';
const ANY_GENERATION = /^(.+)\.json(?:\.previous)?$/;

/** Neither `+` nor `=` is in a space's name, so this can be undone. */
function toFileName(space: string): string {
  return space.replaceAll(':', '+').replaceAll('/', '=') + SUFFIX;
}

function toSpace(stem: string): string {
  return stem.replaceAll('+', ':').replaceAll('=', '/');
}

export async function saveSpace(
  directory: string,
  space: string,
  saved: SavedSpace,
): Promise<void> {
  const text = JSON.stringify({ space, ...saved });
  await writeDurable(join(directory, toFileName(space)), text);
}

export async function removeSpace(directory: string, space: string): Promise<void> {
  await removeDurable(join(directory, toFileName(space)));
}

export async function loadSpaces(directory: string): Promise<LoadedSpace[]> {
  const spaces = new Set<string>();
  for (const name of await namesIn(directory)) {
    const stem = ANY_GENERATION.exec(name)?.[1];
    if (stem !== undefined) spaces.add(toSpace(stem));
  }
  return Promise.all([...spaces].toSorted().map((space) => loadSpace(directory, space)));
}

async function loadSpace(directory: string, space: string): Promise<LoadedSpace> {
  const { text, damaged } = await readDurable(join(directory, toFileName(space)));
  return { space, saved: text === undefined ? undefined : parseSpace(text), damaged };
}

/** Its checksum held, so it is what this program wrote; a kind may be of a newer version. */
function parseSpace(text: string): SavedSpace {
  const { epoch, revision, records } = JSON.parse(text) as SavedSpace;
  return { epoch, revision, records: records.filter(([kind]) => isRecordKind(kind)) };
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It is not there, or cannot even be made: nothing was kept.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
