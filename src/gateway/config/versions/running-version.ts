/** On the disk: what a node runs while it refuses the newest version, for its next start. */
import { reasonOf } from '../../../mesh/backplane/backplane-error.ts';
import type { Log } from '../../../plugins/sdk/plugin-context.ts';
import type { ConfigKeys } from './config-keys.ts';
import { toKnown } from './known-head.ts';
import { RUNNING_FILE } from './last-known-part.ts';
import { createVersionFile } from './version-file.ts';
import { signRecord, toVersionInfo } from './version-record.ts';
import type { KnownVersion } from './version-store.ts';

export interface RunningVersionFile {
  /** Undefined where there is none that can be read. */
  read(): Promise<KnownVersion | undefined>;
  /** Undefined: the newest is what runs, and is kept elsewhere. Tells the log where it cannot. */
  keep(version: KnownVersion | undefined): void;
  /** Resolves when nothing waits to be written. */
  settled(): Promise<void>;
}

export function createRunningVersionFile(
  directory: string,
  keys: ConfigKeys,
  now: () => number,
  log: Log,
): RunningVersionFile {
  const file = createVersionFile(directory, RUNNING_FILE);
  let wanted: KnownVersion | undefined;
  let kept: KnownVersion | undefined;
  let keeping: Promise<void> | undefined;

  /** Never rejects. */
  async function keepWanted(): Promise<void> {
    while (kept !== wanted) {
      kept = wanted;
      try {
        if (kept === undefined) await file.remove();
        else await write(kept);
      } catch (error) {
        log.warn({ reason: reasonOf(error) }, 'the version that runs could not be kept');
      }
    }
    // Here and not in a `finally` of the caller's: what is wanted between the two would be lost.
    keeping = undefined;
  }

  async function write(version: KnownVersion): Promise<void> {
    const sealer = await keys.forReading();
    if (sealer === undefined) return;
    const record = signRecord({ ...toVersionInfo(version), lineage: '', nonce: '' }, sealer);
    await file.write({ record, json: version.json, history: [], keptAtMs: now() }, sealer);
  }

  return {
    async read() {
      try {
        const found = await file.read(await keys.forReading());
        kept = wanted = found && toKnown(found.record, found.json);
      } catch (error) {
        log.warn({ reason: reasonOf(error) }, 'the version that ran last could not be read');
      }
      return kept;
    },
    keep(version) {
      wanted = version;
      if (kept !== wanted) keeping ??= keepWanted();
    },
    async settled() {
      await keeping;
    },
  };
}
