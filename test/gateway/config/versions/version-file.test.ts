import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createSealer, type Sealer } from '../../../../src/gateway/config/versions/sealer.ts';
import {
  EMPTY_DOCUMENT,
  hashDocument,
  toCanonicalJson,
} from '../../../../src/gateway/config/versions/shared-document.ts';
import {
  createVersionFile,
  type KeptVersion,
  type VersionFile,
} from '../../../../src/gateway/config/versions/version-file.ts';
import { signRecord } from '../../../../src/gateway/config/versions/version-record.ts';
import { newDataDir } from './version-node.ts';

const SEALER = createSealer([randomBytes(32)]);
/** As a disk that is full for a moment. */
const FAILING: Sealer = {
  ...SEALER,
  seal() {
    throw new Error('not this one');
  },
};

function keptVersion(version: number): KeptVersion {
  const info = { version, author: 'a', at: '2026-01-01T00:00:00.000Z', message: '', pinned: false };
  const hash = hashDocument(EMPTY_DOCUMENT);
  const record = signRecord({ ...info, hash, lineage: 'l', nonce: 'n' }, SEALER);
  return { record, json: toCanonicalJson(EMPTY_DOCUMENT), history: [], keptAtMs: 1 };
}

async function newFile(): Promise<VersionFile> {
  const directory = await newDataDir();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return createVersionFile(directory, 'head');
}

async function versionIn(file: VersionFile): Promise<number | undefined> {
  return (await file.read(SEALER))?.record.version;
}

it('of what comes while one is written, the newest is kept', async () => {
  const file = await newFile();
  await Promise.all([1, 2, 3].map((version) => file.write(keptVersion(version), SEALER)));
  expect(await versionIn(file)).toBe(3);
});

it('what waits is kept though the one before it could not be', async () => {
  const file = await newFile();
  const before = file.write(keptVersion(1), FAILING);
  await file.write(keptVersion(2), SEALER);
  await before;
  expect(await versionIn(file)).toBe(2);
});

it('rejects where the last one could not be kept, and the one before stays', async () => {
  const file = await newFile();
  await file.write(keptVersion(1), SEALER);
  await expect(file.write(keptVersion(2), FAILING)).rejects.toThrow('not this one');
  await file.settled();
  expect(await versionIn(file)).toBe(1);
});
