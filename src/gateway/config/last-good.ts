/** The configuration that was applied last, without its private keys, kept beside the embedded state for `diff` and for people. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CertificateConfig, Config } from './config.ts';
import { createPaced } from './paced.ts';

export interface LastGood {
  readonly hash: string;
  /** As it is read back, certificates have no private key. */
  readonly config: Config;
}

/** A release before this one knew of no certificates. */
interface Saved {
  readonly hash: string;
  readonly config: Omit<Config, 'certificates'> & Partial<Pick<Config, 'certificates'>>;
}

const FILE = 'last-good.json';
/** One piece is encoded in well under a millisecond, and the event loop has its turn after each. */
const PIECE_CHARACTERS = 16 * 1024;

/** Replaces the file whole; mode 0600, since a configuration may hold secrets. `pause`: waited for between pieces. */
export async function saveLastGood(
  dataDir: string,
  lastGood: LastGood,
  pause: () => Promise<void> | void = () => {},
): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, withPauses(toPieces(lastGood), pause), { mode: 0o600, flush: true });
    await rename(temporary, path);
  } catch (error) {
    // On a full disk, half a file would only take more room.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Undefined where nothing has been applied yet. */
export async function readLastGood(dataDir: string): Promise<LastGood | undefined> {
  try {
    const { hash, config } = JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as Saved;
    return { hash, config: { ...config, certificates: config.certificates ?? [] } };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export interface LastGoodKeeper {
  /** Saves one after the other, a second apart; of those that wait, only the newest. */
  keep(dataDir: string, lastGood: LastGood): void;
  /** Saves at once what waits; resolves when nothing is being saved any more. */
  settled(): Promise<void>;
}

async function* withPauses(
  pieces: Iterable<string>,
  pause: () => Promise<void> | void,
): AsyncGenerator<string> {
  let isFirst = true;
  for (const piece of pieces) {
    if (!isFirst) await pause();
    isFirst = false;
    yield piece;
  }
}

/** What is changed all the time is written all the time, and nobody reads it. */
const REST_MS = 1_000;
/**
 * Piece upon piece would take all of a core: of 10,000 routes for 40 ms. Nobody waits for it but who
 * wants to end.
 */
const PAUSE_MS = 5;

/** Two reloads in a row must not write the same file at once, nor leave the older one. */
export function createLastGoodKeeper(onFailure: (error: unknown) => void): LastGoodKeeper {
  let next: { readonly dataDir: string; readonly lastGood: LastGood };
  let isAwaited = false;
  const pause = (): Promise<void> | void => (isAwaited ? undefined : delay(PAUSE_MS));
  const saving = createPaced(
    () => saveLastGood(next.dataDir, next.lastGood, pause).catch(onFailure),
    REST_MS,
  );
  return {
    keep(dataDir, lastGood) {
      next = { dataDir, lastGood };
      saving.want();
    },
    async settled() {
      isAwaited = true;
      await saving.settled();
      isAwaited = false;
    },
  };
}

/** As `JSON.stringify` would have it, which for 10,000 routes would hold up the event loop. */
function* toPieces(lastGood: LastGood): Generator<string> {
  let piece = '';
  for (const token of toTokens(lastGood)) {
    piece += token;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function* toTokens({ hash, config }: LastGood): Generator<string> {
  yield `{"hash":${JSON.stringify(hash)},"config":{`;
  let separator = '';
  for (const [key, value] of Object.entries(config) as [string, unknown][]) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(key)}:`;
    separator = ',';
    if (key === 'certificates') yield* toListTokens(config.certificates.map(withoutKey));
    else if (Array.isArray(value)) yield* toListTokens(value);
    else yield JSON.stringify(value);
  }
  yield '}}';
}

/** It is sealed wherever else it is kept; a certificate with another one is another certificate. */
function withoutKey(certificate: CertificateConfig): object {
  return { ...certificate, privateKey: '' };
}

function* toListTokens(items: readonly unknown[]): Generator<string> {
  yield '[';
  for (const [index, item] of items.entries()) {
    yield `${index === 0 ? '' : ','}${JSON.stringify(item)}`;
  }
  yield ']';
}
