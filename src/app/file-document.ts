/** What the configuration file has of the part that nodes may share, as its author wrote it: for the admin API to show. */
import { readFile } from 'node:fs/promises';
import {
  EMPTY_DOCUMENT,
  readShape,
  SHARED_KEYS,
  type SharedDocument,
} from '../gateway/config/versions/shared-document.ts';
import { inTurns } from '../gateway/config/in-turns.ts';
import { readYaml } from '../gateway/config/yaml-text.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

export interface FileDocument {
  /** Undefined where the file leaves it to the backplane. Of a file that is being read: what it had before. */
  readonly current: SharedDocument | undefined;
  /** After each configuration that is applied. Never rejects. */
  update(isOwner: boolean): Promise<void>;
}

/** `document`: in place of what is in the file. */
export function createFileDocument(
  configFile: string,
  document: string | undefined,
  log: Log,
): FileDocument {
  let current: SharedDocument | undefined;
  let updates = 0;
  return {
    get current() {
      return current;
    },
    async update(isOwner) {
      const own = ++updates;
      // At once, for it decides who may write.
      current = isOwner ? (current ?? EMPTY_DOCUMENT) : undefined;
      if (!isOwner) return;
      const read = await readShared(configFile, document);
      if (own !== updates) return;
      if (typeof read === 'string') {
        log.warn({ reason: read }, 'the admin API cannot show what the configuration file has');
      } else current = read;
    },
  };
}

/** Or why it cannot be had, such as a file that was changed again meanwhile. */
async function readShared(
  configFile: string,
  document: string | undefined,
): Promise<SharedDocument | string> {
  try {
    const reading = await readYaml(document ?? (await readFile(configFile, 'utf8')));
    if (!reading.ok) return reading.problems.join('; ');
    const whole = reading.value as Readonly<Record<string, unknown>>;
    const part = SHARED_KEYS.filter((key) => whole[key] !== undefined);
    const shared = Object.fromEntries(part.map((key) => [key, whole[key]]));
    const parsed = await inTurns(readShape(shared));
    return parsed.ok ? parsed.document : parsed.problems.map(({ message }) => message).join('; ');
  } catch (error) {
    return (error as Error).message;
  }
}
