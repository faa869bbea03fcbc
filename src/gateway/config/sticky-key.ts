/** The key of sticky sessions where none is configured: made once, and kept in the data directory. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import { toDataDirFailure } from './file-failure.ts';

const FILE = 'sticky-key';
const KEY_BYTES = 32;

/**
 * Read when it is first asked for. Where it cannot be kept, sessions last as long as the
 * process, which is no reason to refuse a configuration.
 */
export function createStickyKey(dataDir: string, log: Log): () => Uint8Array {
  let key: Uint8Array | undefined;
  return () => (key ??= readStickyKey(dataDir) ?? makeKey(dataDir, log));
}

/** Undefined where none has been made. */
export function readStickyKey(dataDir: string): Uint8Array | undefined {
  try {
    const key = readFileSync(join(dataDir, FILE));
    return key.length === KEY_BYTES ? key : undefined;
  } catch {
    return undefined;
  }
}

function makeKey(dataDir: string, log: Log): Uint8Array {
  const key = randomBytes(KEY_BYTES);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dataDir, FILE), key, { mode: 0o600, flush: true });
  } catch (error) {
    log.warn(
      { reason: toDataDirFailure(error, dataDir) },
      'the key of sticky sessions cannot be kept; they end with the process',
    );
  }
  return key;
}
