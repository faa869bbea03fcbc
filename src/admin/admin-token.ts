/** The first token of the admin API: made once, kept in the data directory for its owner alone. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createTokenText, digestOf, isTokenText } from './access/token-text.ts';

/** In the data directory. */
const TOKEN_FILE = 'admin-token';

export interface AdminToken {
  readonly file: string;
  /** It was made just now. */
  readonly isNew: boolean;
  /** Whether a text is the token, in a time that tells nothing of it. */
  readonly matches: (text: string) => boolean;
}

/** Reads the token, or makes it. Rejects where neither can be done, or where the file has no token. */
export async function openAdminToken(dataDir: string): Promise<AdminToken> {
  const file = join(dataDir, TOKEN_FILE);
  const isNew = (await readIfThere(file)) === undefined && (await create(dataDir, file));
  const text = (await readFile(file, 'utf8')).trim();
  if (!isTokenText(text)) {
    throw new Error(`${file} has no admin token; remove it, and the next start makes a new one`);
  }
  // The token itself is let go of: what is in memory may end in a dump.
  const digest = digestOf(text);
  return { file, isNew, matches: (candidate) => timingSafeEqual(digestOf(candidate), digest) };
}

/** Written aside and linked to its name: it is there whole or not at all, and the first one stays. */
async function create(dataDir: string, file: string): Promise<boolean> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const handle = await open(aside, 'wx', 0o600);
    try {
      await handle.writeFile(`${createTokenText()}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(aside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
