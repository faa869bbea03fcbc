/** A version on the disk of a node, for a start while the backplane is away. Sealed as in the backplane. */
import { join } from 'node:path';
import { readDurable, removeDurable, writeDurable } from '../../../mesh/backplane/durable-file.ts';
import { isObject } from '../../../mesh/backplane/json-object.ts';
import { ConfigKeyError, KEY_REMEDY } from './config-keys.ts';
import { openBody, sealBody, type SealedBody } from './document-body.ts';
import type { Sealer } from './sealer.ts';
import {
  parseVersionRecord,
  toRecordValue,
  verifyRecord,
  type VersionRecord,
} from './version-record.ts';

export interface KeptVersion {
  readonly record: VersionRecord;
  readonly json: string;
  /** What else was known of, the newest first. */
  readonly history: readonly VersionRecord[];
  /** Milliseconds since 1970. */
  readonly keptAtMs: number;
}

export interface VersionFile {
  /** Undefined where there is none. Rejects where it cannot be read, or opened. */
  read(sealer: Sealer | undefined): Promise<KeptVersion | undefined>;
  /**
   * One write at a time; of what comes meanwhile, the newest. Resolves when nothing waits any more;
   * rejects where the last one could not be written.
   */
  write(kept: KeptVersion, sealer: Sealer): Promise<void>;
  remove(): Promise<void>;
  /** Resolves when nothing waits to be written. */
  settled(): Promise<void>;
}

export function createVersionFile(directory: string, name: string): VersionFile {
  const path = join(directory, `${name}.json`);
  let waiting: (() => Promise<void>) | undefined;
  let writing: Promise<void> | undefined;

  /** What waits is written also after one that failed, and the outcome is that of the last. */
  async function writeAll(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    while (waiting !== undefined) {
      const next = waiting;
      waiting = undefined;
      failure = await next().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
    }
    writing = undefined;
    if (failure !== undefined) throw failure.error;
  }

  function queue(next: () => Promise<void>): Promise<void> {
    waiting = next;
    writing ??= writeAll();
    return writing;
  }

  return {
    async read(sealer) {
      const { text } = await readDurable(path);
      if (text === undefined) return undefined;
      if (sealer === undefined) {
        throw new ConfigKeyError(`there is no key to open it with: ${KEY_REMEDY}`);
      }
      return open(JSON.parse(text), sealer);
    },
    write: (kept, sealer) =>
      queue(async () => {
        const { record, json, history, keptAtMs } = kept;
        const body = await sealBody(json, record.hash, sealer);
        const records = [record, ...history].map((one) => ({
          version: one.version,
          value: toRecordValue(one),
        }));
        await writeDurable(path, JSON.stringify({ keptAtMs, records, body }));
      }),
    remove: () => queue(() => removeDurable(path)),
    async settled() {
      await writing?.catch(() => undefined);
    },
  };
}

/** Its checksum held, so this program wrote it, or one that knows more. */
async function open(value: unknown, sealer: Sealer): Promise<KeptVersion> {
  const { keptAtMs, records, body } = isObject(value) ? value : {};
  if (typeof keptAtMs !== 'number' || !Array.isArray(records) || !isSealedBody(body)) {
    throw new Error('it is not written in a way that this version knows');
  }
  const [record, ...history] = records.flatMap((entry: unknown) => {
    const { version, value: of } = isObject(entry) ? entry : {};
    return parseVersionRecord(Number(version), of) ?? [];
  });
  if (record === undefined) throw new Error('it names no version');
  verifyRecord(record, sealer);
  return { record, history, keptAtMs, json: await openBody(body, record.hash, sealer) };
}

function isSealedBody(body: unknown): body is SealedBody {
  return Array.isArray(body) && body.every((slice) => typeof slice === 'string');
}
