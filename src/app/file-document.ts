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
  /**
   * Of the file as it was when a configuration was applied last; undefined where it leaves that part to
   * the backplane. Where it cannot be had any more, what it had before. Never rejects.
   */
  current(): Promise<SharedDocument | undefined>;
  /** After each configuration that is applied. */
  update(isOwner: boolean): void;
}

/** To have read one takes tens of milliseconds of the thread that serves: it is for who asks alone. */
type Unread = Promise<string | Buffer | Error>;

/** `document`: in place of what is in the file. */
export function createFileDocument(
  configFile: string,
  document: string | undefined,
  log: Log,
): FileDocument {
  let isOwned = false;
  let known = EMPTY_DOCUMENT;
  let unread: Unread | undefined;
  let reading = Promise.resolve();

  async function look(): Promise<void> {
    // What was asked for first may have looked already.
    const text = unread;
    if (text === undefined) return;
    const read = await readShared(text);
    if (unread === text) unread = undefined;
    if (!isOwned) return;
    if (typeof read !== 'string') known = read;
    else log.warn({ reason: read }, 'the admin API cannot show what the configuration file has');
  }

  return {
    async current() {
      // At once, for it decides who may write.
      if (!isOwned) return undefined;
      reading = reading.then(look);
      await reading;
      return isOwned ? known : undefined;
    },
    update(isOwner) {
      isOwned = isOwner;
      if (!isOwner) known = EMPTY_DOCUMENT;
      unread = isOwner ? textOf(configFile, document) : undefined;
    },
  };
}

/** Now: the file may be changed again, and that be refused, before anybody asks. */
async function textOf(configFile: string, document: string | undefined): Unread {
  // Its text is for who asks, too: 8 MB of it take 30 ms.
  return document ?? (await readFile(configFile).catch((error: Error) => error));
}

/** Or why it cannot be had, such as a file that was changed again meanwhile. */
async function readShared(unread: Unread): Promise<SharedDocument | string> {
  const text = await unread;
  if (text instanceof Error) return text.message;
  const reading = await readYaml(String(text));
  if (!reading.ok) return reading.problems.join('; ');
  const whole = reading.value as Readonly<Record<string, unknown>>;
  const part = SHARED_KEYS.filter((key) => whole[key] !== undefined);
  const shared = Object.fromEntries(part.map((key) => [key, whole[key]]));
  const parsed = await inTurns(readShape(shared));
  return parsed.ok ? parsed.document : parsed.problems.map(({ message }) => message).join('; ');
}
